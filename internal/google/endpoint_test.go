package google

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEndpoints(t *testing.T) {
	t.Parallel()
	const refused = "is not https"
	cases := map[string]struct {
		want    Endpoint
		url     string
		wantErr string
	}{
		"https://europe-west1-run.googleapis.com": {want: Endpoint{Host: "europe-west1-run.googleapis.com"}, url: "https://europe-west1-run.googleapis.com/"},
		"https://run.googleapis.com:444/":         {want: Endpoint{Host: "run.googleapis.com:444"}, url: "https://run.googleapis.com:444/"},
		"https://127.0.0.1:8080":                  {want: Endpoint{Host: "127.0.0.1:8080"}, url: "https://127.0.0.1:8080/"},
		"http://127.0.0.1:8080":                   {want: Endpoint{Host: "127.0.0.1:8080", Plain: true}, url: "http://127.0.0.1:8080/"},
		"http://127.8.9.1:8080/":                  {want: Endpoint{Host: "127.8.9.1:8080", Plain: true}, url: "http://127.8.9.1:8080/"},
		"http://[::1]:8080":                       {want: Endpoint{Host: "[::1]:8080", Plain: true}, url: "http://[::1]:8080/"},
		"http://localhost:8080":                   {want: Endpoint{Host: "localhost:8080", Plain: true}, url: "http://localhost:8080/"},
		"http://run.googleapis.com":               {wantErr: refused},
		"http://10.0.0.1:8080":                    {wantErr: refused},
		"http://169.254.169.254":                  {wantErr: refused},
		"http://localhost.example.com":            {wantErr: refused},
		"http://127.0.0.1.example.com":            {wantErr: refused},
		"http://0.0.0.0:8080":                     {wantErr: refused},
		"ftp://127.0.0.1":                         {wantErr: refused},
		"https://run.googleapis.com/v2":           {wantErr: "has a path"},
		"127.0.0.1:8080":                          {wantErr: "is not an address"},
		"localhost:8080":                          {wantErr: "is not an address"},
		"http://127.0.0.1@example.com/":           {wantErr: "is not an address"},
		"https://run.googleapis.com?a=b":          {wantErr: "is not an address"},
		"https://run.googleapis.com#a":            {wantErr: "is not an address"},
		"\x00":                                    {wantErr: "is not an address"},
		"":                                        {wantErr: "is not an address"},
		"https://":                                {wantErr: "is not an address"},
	}
	for address, c := range cases {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			got, err := ParseEndpoint("Cloud Run", address)
			if (err == nil) != (c.wantErr == "") || err != nil && !strings.Contains(err.Error(), c.wantErr) {
				t.Fatalf("error %v, want one with %q", err, c.wantErr)
			}
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if err == nil && got.URL() != c.url {
				t.Errorf("URL %s, want %s", got.URL(), c.url)
			}
		})
	}
}

func FuzzForeignTextIsOnePrintableLine(f *testing.F) {
	f.Add("quota\nexceeded\x1b[31m \u202e")
	f.Add(strings.Repeat("ü", 400))
	f.Fuzz(func(t *testing.T, text string) {
		got := Clean(text)
		if len(got) > MaxText+3 || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\r\t\x00\x1b\u202e\u2028") {
			t.Errorf("%q", got)
		}
	})
}
