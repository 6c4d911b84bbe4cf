package notify

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// files are those that a configuration names.
var files = map[string]string{
	"/etc/url": "https://hooks.example.com/T0/secret\n", "/etc/plain": "http://hooks.example.com/secret", "/etc/near": "http://127.0.0.1:9000/in",
	"/etc/none": "secret\n", "/etc/key": "0123456789abcdef", "/etc/short": "secret",
}

func reading(file string) ([]byte, error) {
	if text, ok := files[file]; ok {
		return []byte(text), nil
	}
	return nil, fmt.Errorf("open %s: no such file", file)
}

func TestSinksAreReadWithTheirDefaults(t *testing.T) {
	t.Parallel()
	sinks, err := Parse([]byte(`
sinks:
- {name: pager, urlFile: /etc/url, keyFile: /etc/key}
- {name: chat, format: Slack, level: All, namespaces: [shop], urlFile: /etc/near}
`), reading)
	if err != nil || len(sinks) != 2 {
		t.Fatal(len(sinks), err)
	}
	if s := sinks[0]; s.Format != CloudEvents || s.Level != Warnings || s.address != "https://hooks.example.com/T0/secret" || string(s.key) != files["/etc/key"] {
		t.Errorf("got %+v", s)
	}
	if s := sinks[1]; s.Format != Slack || s.Level != All || s.address != files["/etc/near"] {
		t.Errorf("got %+v", s)
	}
	if sinks, err := Parse(nil, reading); err != nil || len(sinks) != 0 {
		t.Errorf("an empty file: %v, %v", sinks, err)
	}
}

func TestAWrongSinkIsRefusedWithWhatToWriteAndWithoutItsSecret(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`sinks: [{nam: a}]`:                                                   "write sinks: [{name, format, level, namespaces, urlFile, keyFile}]",
		`sinks: [{urlFile: /etc/url}]`:                                        `sinks[0] "": write a name`,
		`sinks: [{name: a, format: Teams, urlFile: /etc/url}]`:                `sinks[0] "a": write the format CloudEvents or Slack, not "Teams"`,
		`sinks: [{name: a, level: Some, urlFile: /etc/url}]`:                  `sinks[0] "a": write the level Warnings or All, not "Some"`,
		`sinks: [{name: a}]`:                                                  `sinks[0] "a": write urlFile`,
		`sinks: [{name: a, urlFile: /etc/gone}]`:                              "urlFile: open /etc/gone: no such file",
		`sinks: [{name: a, urlFile: /etc/none}]`:                              "urlFile /etc/none: write one address like https://hooks.example.com/path",
		`sinks: [{name: a, urlFile: /etc/plain}]`:                             "urlFile /etc/plain: write an address with https",
		`sinks: [{name: a, urlFile: /etc/url, keyFile: /etc/short}]`:          "keyFile /etc/short: write at least 16 bytes",
		`sinks: [{name: a, urlFile: /etc/url}, {name: a, urlFile: /etc/url}]`: `sinks[1] "a": write another name`,
		`sinks: [{name: a, urlFile: /etc/url, keyFile: /etc/gone}]`:           "keyFile: open /etc/gone",
	} {
		_, err := Parse([]byte(text), reading)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
			continue
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s tells a secret: %v", text, err)
		}
	}
}

func TestAnErrorOfTheClientDoesNotNameTheAddress(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf(`Post "https://hooks.example.com/T0/secret": %w`, errors.New("connection refused"))
	if got := unwrapped(err).Error(); got != "connection refused" {
		t.Error(got)
	}
}

// TestTheNewlineBehindAKeyIsNoPartOfIt: whoever checks a signature would have to know of
// it.
func TestTheNewlineBehindAKeyIsNoPartOfIt(t *testing.T) {
	t.Parallel()
	files := map[string]string{"url": "https://hooks.example.com/x", "key": "0123456789abcdef0123456789abcdef\n"}
	sinks, err := Parse([]byte("sinks: [{name: a, urlFile: url, keyFile: key}]"), func(file string) ([]byte, error) { return []byte(files[file]), nil })
	if err != nil || string(sinks[0].key) != "0123456789abcdef0123456789abcdef" {
		t.Errorf("%v", err)
	}
	files["key"] = "short of 16 bytes"[:15] + "\n\n"
	if _, err := Parse([]byte("sinks: [{name: a, urlFile: url, keyFile: key}]"), func(file string) ([]byte, error) { return []byte(files[file]), nil }); err == nil {
		t.Error("newlines count as bytes of a key")
	}
}
