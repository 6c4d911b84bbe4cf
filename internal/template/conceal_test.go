package template

import "testing"

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
