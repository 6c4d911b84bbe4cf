package template

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestWhatCloudRunQuotesOfATemplateIsConcealed(t *testing.T) {
	t.Parallel()
	read, _, err := Read([]byte(`{"containers":[{"image":"example.com/web:2","args":["--token=s3cr3t"],"command":["/bin/sh"],
		"env":[{"name":"PASSWORD","value":"hunter2"},{"name":"LEVEL","value":"1"},{"name":"NAMED","valueSource":{"secretKeyRef":{"secret":"web-db","version":"3"}}}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	said := `Invalid value at 'template.containers[0].env[0].value': "hunter2"; args[0] "--token=s3cr3t"; image example.com/web:2, secret web-db of 1`
	want := `Invalid value at 'template.containers[0].env[0].value': "[a value of the template]"; args[0] "[a value of the template]"; image example.com/web:2, secret web-db of 1`
	if got := Conceal(read, said); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestWhatIsConcealedMayBeCutQuotedOrOneInAnother: Cloud Run's words come on one line and
// bounded.
func TestWhatIsConcealedMayBeCutQuotedOrOneInAnother(t *testing.T) {
	t.Parallel()
	key := "-----BEGIN KEY-----\nabc\tdef\n-----END KEY-----"
	long := strings.Repeat("s3cr3t-", 100)
	raw, err := json.Marshal(map[string]any{"containers": []any{map[string]any{
		"image": "example.com/web:2",
		"env": []any{
			map[string]any{"name": "A", "value": "hunter"},
			map[string]any{"name": "B", "value": "hunter2-long"},
			map[string]any{"name": "C", "value": key},
			map[string]any{"name": "D", "value": long},
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	read, _, err := Read(raw)
	if err != nil {
		t.Fatal(err)
	}
	for said, want := range map[string]string{
		"value hunter2-long of hunter":                            "value [a value of the template] of [a value of the template]",
		"key -----BEGIN KEY----- abc def -----END KEY----- is no": "key [a value of the template] is no",
		`key "-----BEGIN KEY-----\nabc\tdef\n-----END KEY-----"`:  `key "[a value of the template]"`,
		"value " + long[:290] + "...":                             "value [a value of the template]...",
		"nothing of it is here...":                                "nothing of it is here...",
	} {
		if got := Conceal(read, said); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", said, got, want)
		}
	}
}
