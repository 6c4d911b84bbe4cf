package template

import (
	"encoding/json"
	"strings"
	"testing"
)

// read reads a template with one container.
func read(t *testing.T, container map[string]any) []Finding {
	t.Helper()
	text, err := json.Marshal(map[string]any{"containers": []any{container}})
	if err != nil {
		t.Fatal(err)
	}
	_, found, err := Read(text)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestLiteralsThatLookLikeSecretsAreFoundAndNotRepeated(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ name, value, want string }{
		"a password":              {"DB_PASSWORD", "hunter2!", "by the variable's name"},
		"a password in camels":    {"dbPassword", "hunter2!", "by the variable's name"},
		"a key":                   {"API_KEY", "0123456789abcdef", "by the variable's name"},
		"a secret":                {"SESSION_SECRET", "correct horse", "by the variable's name"},
		"a number":                {"MYSQL_ROOT_PASSWORD", "12345678", "by the variable's name"},
		"words without a seam":    {"DBPASSWORD", "hunter2!", "by the variable's name"},
		"a file that is none":     {"DB_PASSWORD_FILE", "hunter2!", "by the variable's name"},
		"a private key":           {"A", "-----BEGIN RSA PRIVATE KEY-----\nabc", "private key"},
		"a service account's key": {"A", `{"type": "service_account", "private_key": "abc"}`, "service account"},
		"a web token":             {"A", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc", "JSON web token"},
		"a Google key":            {"A", "AIza" + strings.Repeat("x", 35), "Google API key"},
		"a GitHub token":          {"A", "ghp_" + strings.Repeat("x", 36), "GitHub token"},
		"an AWS key":              {"A", "AKIA" + strings.Repeat("X", 16), "AWS access key"},
		"an address":              {"DATABASE_URL", "postgres://web:hunter2@10.0.0.5/shop", "password in its address"},
		"an address without user": {"REDIS_URL", "redis://:hunter2@10.0.0.5", "password in its address"},
		"an address of MySQL":     {"DSN", "web:hunter2@tcp(10.0.0.5:3306)/shop", "password in its address"},
		"settings":                {"DSN", "host=db user=web password=hunter2", "has a password in it"},
	} {
		found := read(t, map[string]any{"image": "a@sha256:1", "env": []any{map[string]any{"name": c.name, "value": c.value}}})
		if len(found) != 1 || found[0].Path != "spec.template.containers[0].env[0].value" ||
			!strings.Contains(found[0].Text, c.want) || !strings.Contains(found[0].Text, "use valueSource.secretKeyRef") {
			t.Errorf("%s: %v", name, found)
			continue
		}
		if strings.Contains(found[0].String(), c.value) || strings.Contains(found[0].String(), "hunter2") {
			t.Errorf("%s: %v repeats the value", name, found)
		}
	}
	found := read(t, map[string]any{"image": "a@sha256:1", "args": []any{"--port=80", "--db=postgres://web:hunter2@db/shop"}})
	if len(found) != 1 || found[0].Path != "spec.template.containers[0].args[1]" || strings.Contains(found[0].String(), "hunter2") {
		t.Errorf("an argument: %v", found)
	}
}

// TestArgumentsThatLookLikeSecretsAreFound, by the flag that is before them or in them.
func TestArgumentsThatLookLikeSecretsAreFound(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"--token hunter2":              "args[1]",
		"--db-password=hunter2":        "args[0]",
		"serve --api-key=hunter2 -v":   "args[1]",
		"-dbPassword hunter2":          "args[1]",
		"--token --verbose":            "",
		"--token-file=/secrets/token":  "",
		"--token-file token.txt":       "",
		"--max-tokens=4096":            "",
		"--token-url https://a.b/c":    "",
		"--require-token=true":         "",
		"get token hunter2":            "",
		"--level=debug --port 8080":    "",
		"--monkey banana":              "",
		"--password-min-length=123456": "",
	} {
		var words []any
		for word := range strings.FieldsSeq(args) {
			words = append(words, word)
		}
		found := read(t, map[string]any{"image": "a@sha256:1", "args": words})
		if want == "" && len(found) > 0 || want != "" && (len(found) != 1 || !found[0].Secret || found[0].Path != "spec.template.containers[0]."+want) {
			t.Errorf("%s: %v", args, found)
		}
		for _, f := range found {
			if strings.Contains(f.String(), "hunter2") {
				t.Errorf("%s: %v repeats it", args, f)
			}
		}
	}
}

func TestLiteralsThatAreNoSecretsAreLeftAlone(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"DB_HOST": "10.0.0.5", "TOKEN_URL": "https://login.example.com/token", "SECRET_NAME": "web-db", "TOKEN_TTL": "300s",
		"PASSWORD": "", "REQUIRE_PASSWORD": "true", "MAX_TOKEN": "4096", "GOOGLE_APPLICATION_CREDENTIALS": "/secrets/a.json",
		"STRIPE_PUBLIC_KEY": "pk_live_abc", "MONKEY": "banana", "COMPASS": "north", "DB_SECRET": "projects/1/secrets/a/versions/2",
		"DB_PASSWORD_FILE": "secrets/db.txt", "PASSWORD_MIN_LENGTH": "123456", "NODE_ENV": "production", "SELF": "https://web.example.com/a?b=c@d",
	} {
		if found := read(t, map[string]any{"image": "a@sha256:1", "env": []any{map[string]any{"name": name, "value": value}}}); len(found) > 0 {
			t.Errorf("%s=%s: %v", name, value, found)
		}
	}
}

func TestImagesThatAreNotOneForGoodAreFound(t *testing.T) {
	t.Parallel()
	for image, want := range map[string]string{
		"europe-docker.pkg.dev/acme/web/web:1.2@sha256:abc": "",
		"europe-docker.pkg.dev/acme/web/web:1.2":            "without a digest",
		"europe-docker.pkg.dev/acme/web/web:latest":         "its tag is latest",
		"europe-docker.pkg.dev/acme/web/web":                "its tag is latest",
		"localhost:5000/web":                                "its tag is latest",
	} {
		found := read(t, map[string]any{"image": image})
		switch {
		case want == "" && len(found) > 0, want != "" && (len(found) != 1 || !strings.HasPrefix(found[0].Text, want)):
			t.Errorf("%s: %v, want %q", image, found, want)
		}
	}
}

func TestFindingsAreBounded(t *testing.T) {
	t.Parallel()
	var variables []any
	for range 500 {
		variables = append(variables, map[string]any{"name": "A_PASSWORD", "value": "hunter2!"})
	}
	found := read(t, map[string]any{"image": "a@sha256:1", "env": variables})
	if len(found) != maxProblems || found[maxProblems-1].String() != "spec.template: 491 more findings of these kinds" {
		t.Errorf("%d findings, the last one %v", len(found), found[len(found)-1])
	}
}
