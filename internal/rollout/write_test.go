package rollout

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestWriteCannotBeBuiltWrong(t *testing.T) {
	t.Parallel()
	web1 := Entry{Revision: "web-1", Percent: 100}
	cases := map[string]struct {
		write Write
		want  string
	}{
		"one revision":                  {Write{etag: "e", targets: []Entry{web1}}, ""},
		"a tag beside it":               {Write{etag: "e", targets: []Entry{web1, {Revision: "web-1", Tag: "blue"}}}, ""},
		"a tag that follows LATEST":     {Write{etag: "e", targets: []Entry{web1, {Latest: true, Tag: "next"}}}, ""},
		"no etag":                       {Write{targets: []Entry{web1}}, "write without etag"},
		"an empty list":                 {Write{etag: "e"}, "write without traffic"},
		"less than everything":          {Write{etag: "e", targets: []Entry{{Revision: "web-1", Percent: 99}}}, "traffic sums to 99, not 100"},
		"more than everything":          {Write{etag: "e", targets: []Entry{web1, {Revision: "web-2", Percent: 1}}}, "traffic sums to 101, not 100"},
		"a negative share":              {Write{etag: "e", targets: []Entry{web1, {Revision: "web-2", Percent: -1}}}, "percent -1 out of range"},
		"a share beyond 100":            {Write{etag: "e", targets: []Entry{{Revision: "web-1", Percent: 101}}}, "percent 101 out of range"},
		"traffic that follows LATEST":   {Write{etag: "e", targets: []Entry{{Latest: true, Percent: 100}}}, "traffic to LATEST"},
		"an entry for nobody":           {Write{etag: "e", targets: []Entry{{Percent: 100}}}, "entry without revision"},
		"a revision twice":              {Write{etag: "e", targets: []Entry{{Revision: "web-1", Percent: 50}, {Revision: "web-1", Percent: 50}}}, `two entries for revision "web-1", tag ""`},
		"the same tag twice on one":     {Write{etag: "e", targets: []Entry{web1, {Revision: "web-1", Tag: "x"}, {Revision: "web-1", Tag: "x"}}}, `two entries for revision "web-1", tag "x"`},
		"nothing but entries of nobody": {Write{etag: "e", targets: []Entry{{}}}, "entry without revision"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := c.write.validate(); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestNewWrite(t *testing.T) {
	t.Parallel()
	ours := tagging{tag: Tag, keep: "web-1", was: "web-1"}
	after := tagging{tag: Tag, was: "web-0"}
	svc := func(entries ...Entry) Service {
		return Service{ETag: "e", Generation: 7, LatestReady: "web-2", Desired: entries}
	}
	cases := map[string]struct {
		svc       Service
		split     Split
		candidate string
		tags      []tagging
		want      []Entry
	}{
		"the candidate comes first, stable is tagged": {
			svc(Entry{Revision: "web-1", Percent: 100}), between("web-2", "web-1", 5), "web-2",
			[]tagging{ours},
			[]Entry{{Revision: "web-2", Percent: 5}, {Revision: "web-1", Percent: 95, Tag: Tag}},
		},
		"at 100 % stable keeps an entry of its own": {
			svc(Entry{Revision: "web-1", Percent: 100}), all("web-2"), "web-2",
			[]tagging{ours},
			[]Entry{{Revision: "web-2", Percent: 100}, {Revision: "web-1", Tag: Tag}},
		},
		"foreign tags are kept to the letter": {
			svc(Entry{Revision: "web-1", Percent: 100, Tag: "blue"}, Entry{Latest: true, Tag: "next"}), all("web-1"), "",
			nil,
			[]Entry{{Revision: "web-1", Percent: 100}, {Revision: "web-1", Tag: "blue"}, {Latest: true, Tag: "next"}},
		},
		"LATEST is pinned": {
			svc(Entry{Latest: true, Percent: 100}), all("web-2"), "", nil, []Entry{{Revision: "web-2", Percent: 100}},
		},
		"our old tag moves with stable": {
			svc(Entry{Revision: "web-1", Percent: 100}, Entry{Revision: "web-0", Tag: Tag}), between("web-2", "web-1", 5), "web-2",
			[]tagging{ours},
			[]Entry{{Revision: "web-2", Percent: 5}, {Revision: "web-1", Percent: 95, Tag: Tag}},
		},
		"our old tag goes with the next write": {
			svc(Entry{Revision: "web-1", Percent: 100}, Entry{Revision: "web-0", Tag: Tag}), all("web-1"), "",
			[]tagging{after},
			[]Entry{{Revision: "web-1", Percent: 100}},
		},
		"a tag of our name that is not ours stays": {
			svc(Entry{Revision: "web-1", Percent: 100}, Entry{Revision: "web-9", Tag: Tag}), all("web-1"), "",
			[]tagging{after},
			[]Entry{{Revision: "web-1", Percent: 100}, {Revision: "web-9", Tag: Tag}},
		},
		"a warm-up tags the candidate without traffic": {
			svc(Entry{Revision: "web-1", Percent: 100}), all("web-1"), "web-2",
			[]tagging{ours, {tag: WarmTag, keep: "web-2"}},
			[]Entry{{Revision: "web-1", Percent: 100, Tag: Tag}, {Revision: "web-2", Tag: WarmTag}},
		},
		"its tag goes with the first traffic": {
			svc(Entry{Revision: "web-1", Percent: 100, Tag: Tag}, Entry{Revision: "web-2", Tag: WarmTag}), between("web-2", "web-1", 5), "web-2",
			[]tagging{ours, {tag: WarmTag, was: "web-2"}},
			[]Entry{{Revision: "web-2", Percent: 5}, {Revision: "web-1", Percent: 95, Tag: Tag}},
		},
		"a revision that carries both": {
			svc(Entry{Revision: "web-1", Percent: 100}), all("web-1"), "web-1",
			[]tagging{ours, {tag: WarmTag, keep: "web-1"}},
			[]Entry{{Revision: "web-1", Percent: 100, Tag: Tag}, {Revision: "web-1", Tag: WarmTag}},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, err := newWrite(c.svc, c.split, c.candidate, c.tags...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, w.Targets()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if w.ETag() != "e" || w.Generation() != 7 {
				t.Errorf("based on %q, generation %d", w.ETag(), w.Generation())
			}
			w.Targets()[0].Percent = 0
			if w.validate() != nil {
				t.Errorf("its targets can be changed from outside")
			}
		})
	}
}

func TestEveryWriteIsWellFormed(t *testing.T) {
	t.Parallel()
	name := rapid.SampledFrom([]string{"web-1", "web-2", "web-3", ""})
	tag := rapid.SampledFrom([]string{"", "", "blue", Tag, WarmTag})
	rapid.Check(t, func(t *rapid.T) {
		svc := Service{ETag: rapid.SampledFrom([]string{"e", "e", ""}).Draw(t, "etag"), LatestReady: name.Draw(t, "latest")}
		for range rapid.IntRange(0, 4).Draw(t, "entries") {
			svc.Desired = append(svc.Desired, Entry{rapid.Bool().Draw(t, "latest"), name.Draw(t, "revision"), rapid.Int64Range(-10, 110).Draw(t, "percent"), tag.Draw(t, "tag")})
		}
		candidate := name.Draw(t, "candidate")
		split := between(candidate, name.Draw(t, "stable"), rapid.Int64Range(-10, 110).Draw(t, "weight"))
		w, err := newWrite(svc, split, candidate, tagging{Tag, name.Draw(t, "keep"), name.Draw(t, "was")}, tagging{WarmTag, name.Draw(t, "keeps warm"), name.Draw(t, "was warm")})
		if err != nil {
			return
		}
		sum := int64(0)
		for _, e := range w.Targets() {
			sum += e.Percent
			if e.Latest && e.Percent != 0 || !e.Latest && e.Revision == "" || e.Percent < 0 {
				t.Fatalf("entry %+v", e)
			}
		}
		if sum != 100 || w.ETag() == "" || !splitOf(w).Equal(split) {
			t.Fatalf("%v for %v under etag %q", w.Targets(), split, w.ETag())
		}
	})
}

// TestOnlyNewWriteMakesWrites reads the package: a Write literal elsewhere would
// go around the checks.
func TestOnlyNewWriteMakesWrites(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	made := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declared := range parsed.Decls {
			f, _ := declared.(*ast.FuncDecl)
			ast.Inspect(declared, func(n ast.Node) bool {
				if makesWrite(n) {
					made++
					if f == nil || f.Name.Name != "newWrite" {
						t.Errorf("%s makes a Write outside newWrite", file)
					}
				}
				return true
			})
		}
	}
	if made != 1 {
		t.Errorf("found %d places that make a Write, want 1: does this test still see them?", made)
	}
}

// makesWrite tells a literal Write{}, a new(Write) and a variable of that type.
func makesWrite(n ast.Node) bool {
	isWrite := func(e ast.Expr) bool {
		name, ok := e.(*ast.Ident)
		return ok && name.Name == "Write"
	}
	switch n := n.(type) {
	case *ast.CompositeLit:
		return n.Type != nil && isWrite(n.Type)
	case *ast.CallExpr:
		made, ok := n.Fun.(*ast.Ident)
		return ok && made.Name == "new" && slices.ContainsFunc(n.Args, isWrite)
	case *ast.ValueSpec:
		return n.Type != nil && isWrite(n.Type)
	}
	return false
}

func TestSplit(t *testing.T) {
	t.Parallel()
	s := NewSplit(map[string]int64{"web-2": 25, "web-1": 75, "web-0": 0})
	if got := s.String(); got != "web-2 25%, web-1 75%" {
		t.Errorf("reads %q", got)
	}
	if s.Of("web-1") != 75 || s.Of("web-0") != 0 || !s.Equal(between("web-2", "web-1", 25)) {
		t.Errorf("split %v", s)
	}
	if sole, ok := all("web-1").sole(); !ok || sole != "web-1" {
		t.Errorf("sole %q, %v", sole, ok)
	}
	if _, ok := s.sole(); ok {
		t.Errorf("%v has one revision", s)
	}
}
