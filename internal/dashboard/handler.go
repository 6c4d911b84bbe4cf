package dashboard

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"html/template"
	"net/http"
	"strconv"
)

//go:embed assets
var files embed.FS

var pages = template.Must(template.ParseFS(files, "assets/*.html"))

// assets are what a page loads, by name, and addresses where; these change with
// what they hold, so that a browser may keep it.
var (
	assets     = map[string][]byte{"page.css": mustRead("page.css"), "page.js": mustRead("page.js"), "icon.svg": mustRead("icon.svg")}
	addresses  = addressesOf(assets)
	mediaTypes = map[string]string{"page.css": "text/css; charset=utf-8", "page.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml"}
)

func mustRead(name string) []byte {
	text, err := files.ReadFile("assets/" + name)
	if err != nil {
		panic(err) // it was compiled in
	}
	return text
}

func addressesOf(assets map[string][]byte) map[string]string {
	found := map[string]string{}
	for name, text := range assets {
		sum := sha256.Sum256(text)
		found[name] = "assets/" + name + "?v=" + hex.EncodeToString(sum[:6])
	}
	return found
}

// Handler serves the page.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.list)
	mux.HandleFunc("GET /rollouts/{namespace}/{name}", s.rollout)
	mux.HandleFunc("GET /events", s.events)
	mux.HandleFunc("GET /assets/{name}", asset)
	return s.guarded(mux)
}

// events streams to those who are known. What a stream tells is only that
// something changed.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	if _, err := s.access().Viewer(r); err != nil {
		s.refuse(w, err)
		return
	}
	s.hub.ServeHTTP(w, r)
}

// asset serves a file that is the same for everybody.
func asset(w http.ResponseWriter, r *http.Request) {
	text, known := assets[r.PathValue("name")]
	if !known {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", mediaTypes[r.PathValue("name")])
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(text)
}

// write makes a page whole before it sends it, so that a half is never shown.
func (s *Server) write(w http.ResponseWriter, name string, page any) {
	var text bytes.Buffer
	if err := pages.ExecuteTemplate(&text, name, page); err != nil {
		http.Error(w, "the page cannot be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(text.Len()))
	_, _ = w.Write(text.Bytes())
}

// refuse says why nothing is shown.
func (s *Server) refuse(w http.ResponseWriter, err error) {
	if errors.Is(err, ErrUnknown) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, "a bearer token that the cluster knows is needed", http.StatusUnauthorized)
		return
	}
	http.Error(w, "rollouts cannot be read: "+err.Error(), http.StatusServiceUnavailable)
}
