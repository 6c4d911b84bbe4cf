package monitoring

import (
	"strings"
	"testing"
)

func TestEndpoints(t *testing.T) {
	t.Parallel()
	const refused = "is not https"
	cases := map[string]struct {
		want    endpoint
		wantErr string
	}{
		"":                                       {},
		"https://monitoring.googleapis.com":      {want: endpoint{host: "monitoring.googleapis.com:443"}},
		"https://monitoring.googleapis.com:444/": {want: endpoint{host: "monitoring.googleapis.com:444"}},
		"https://127.0.0.1:9090":                 {want: endpoint{host: "127.0.0.1:9090"}},
		"http://127.0.0.1:9090":                  {want: endpoint{host: "127.0.0.1:9090", plain: true}},
		"http://127.8.9.1:9090/":                 {want: endpoint{host: "127.8.9.1:9090", plain: true}},
		"http://[::1]:9090":                      {want: endpoint{host: "[::1]:9090", plain: true}},
		"http://localhost:9090":                  {want: endpoint{host: "localhost:9090", plain: true}},
		"http://localhost":                       {want: endpoint{host: "localhost:80", plain: true}},
		"http://monitoring.googleapis.com":       {wantErr: refused},
		"http://10.0.0.1:9090":                   {wantErr: refused},
		"http://localhost.example.com":           {wantErr: refused},
		"http://127.0.0.1.example.com":           {wantErr: refused},
		"http://0.0.0.0:9090":                    {wantErr: refused},
		"grpc://127.0.0.1:9090":                  {wantErr: refused},
		"https://h/v3":                           {wantErr: "has a path"},
		"127.0.0.1:9090":                         {wantErr: "is not an address"},
		"localhost:9090":                         {wantErr: "is not an address"},
		"http://user@127.0.0.1:9090":             {wantErr: "is not an address"},
		"https://h?a=b":                          {wantErr: "is not an address"},
		"\x00":                                   {wantErr: "is not an address"},
	}
	for address, c := range cases {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			got, err := parseEndpoint(address)
			if (err == nil) != (c.wantErr == "") || err != nil && !strings.Contains(err.Error(), c.wantErr) {
				t.Fatalf("error %v, want one with %q", err, c.wantErr)
			}
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if c.wantErr == "" {
				return
			}
			if _, err := New(t.Context(), Options{Endpoint: address}); err == nil {
				t.Error("a client all the same")
			}
		})
	}
}
