package dashboard

import (
	"net/http"

	"github.com/sluice-rollouts/sluice/internal/loopback"
)

// policy lets a page load its own style sheet, script and stream, and nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guarded sets the headers that every answer has, and refuses what does not only
// read.
func (s *Server) guarded(inner http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "this page only shows; kubectl sluice acts", http.StatusMethodNotAllowed)
		case s.Access == nil && !loopback.Host(r.Host):
			http.Error(w, "this page is for this machine: open it as 127.0.0.1 or localhost", http.StatusMisdirectedRequest)
		default:
			inner.ServeHTTP(w, r)
		}
	})
}
