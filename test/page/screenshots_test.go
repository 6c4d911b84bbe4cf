package page

import (
	"flag"
	"path/filepath"
	"testing"
)

var pictures = flag.String("pictures", "", "a directory to write pictures of the page into")

// TestThePageHasItsPictureTaken makes the pictures for the documents.
func TestThePageHasItsPictureTaken(t *testing.T) {
	into := *pictures
	if into == "" {
		t.Skip("nobody wants pictures: make screenshots does")
	}
	url := serve(t, read(t))
	for name, shot := range map[string]struct{ path, size string }{
		"page-list":    {"/", "1180,600"},
		"page-rollout": {"/rollouts/shop/graphql-api", "1180,1190"},
	} {
		for suffix, scheme := range map[string]string{"": "1", "-dark": "0"} {
			file := filepath.Join(into, name+suffix+".png")
			visit(t, url+shot.path, "--window-size="+shot.size, "--blink-settings=preferredColorScheme="+scheme, "--screenshot="+file)
			shrink(t, file)
		}
	}
}
