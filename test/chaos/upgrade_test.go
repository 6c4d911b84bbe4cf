package chaos

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/sluice-rollouts/sluice/test/manager"
)

// earlier is a commit before spec.template and queries: its manager knows neither those
// fields nor what is saved of them.
const earlier = "30ba441d5c3920b3437c80e12f8a64a6c9349045"

// TestUpgrade exchanges the manager for one of another version while a rollout is under
// way: the present one follows an earlier commit's and the other way round, at each step.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	perform(t, []scenario{
		{"a manager that is upgraded during one step and downgraded during the next repeats none", true, func(s *stage) {
			was := s.of(earlierBuild(s.t)).startLeading() // built before the world's time counts
			s.deploy("web:2", "web-2")
			s.bakes("web-2", 20)
			now := s.exchanged(was, binary)
			s.bakes("web-2", 50)
			s.exchanged(now, earlierBuild(s.t))
			s.becomes("Completed/Completed")
			s.wrote(out...)
		}},
		{"a bad release goes back under the manager that was upgraded meanwhile", false, func(s *stage) {
			was := s.of(earlierBuild(s.t)).startLeading()
			s.deploy("web:bad", "web-2")
			s.bakes("web-2", 20)
			s.exchanged(was, binary)
			s.becomes("RolledBack/RolledBack")
			s.wrote(back...)
		}},
		{"a bad release goes back under the manager that was downgraded meanwhile", false, func(s *stage) {
			before := earlierBuild(s.t)
			s.exchanged(s.begun("web:bad"), before)
			s.becomes("RolledBack/RolledBack")
			s.wrote(back...)
		}},
		{"what an earlier manager gave up stays given up after an upgrade", false, func(s *stage) {
			was := s.of(earlierBuild(s.t)).startLeading()
			s.deploy("web:bad", "web-2")
			s.becomes("RolledBack/RolledBack")
			sent := len(s.patches())
			s.exchanged(was, binary)
			s.while(s.silent(sent), s.passes(still))
			s.wrote(back...)
		}},
	})
}

// of prepares a manager of another build.
func (s *stage) of(build string) *operator {
	s.t.Helper()
	o := s.newOperator(alone...)
	o.binary = build
	return o
}

// exchanged kills a manager, and starts one of another build in its place, which has to
// look and to call itself otherwise.
func (s *stage) exchanged(was *operator, build string) *operator {
	s.t.Helper()
	was.kill()
	next := s.of(build).startLeading()
	s.await("the next manager looks", func() bool { return s.reads(next.run.name) > 0 })
	if now, before := next.run.calledBy(), was.run.calledBy(); now == before {
		s.t.Errorf("both builds call themselves %s", now)
	}
	return next
}

// earlierBuild compiles the earlier commit, once, where the repository's history has it.
func earlierBuild(t *testing.T) (binary string) {
	t.Helper()
	if out, err := git(t.Context(), "cat-file", "-e", earlier+"^{commit}").CombinedOutput(); err != nil {
		t.Skipf("commit %s is not to be had here (%v %s): in a shallow clone git fetch --unshallow gets it", earlier[:7], err, bytes.TrimSpace(out))
	}
	binary, err := buildEarlier()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

func git(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = filepath.Join("..", "..")
	return cmd
}

var buildEarlier = sync.OnceValues(func() (binary string, err error) {
	sources, err := os.MkdirTemp(builds, "earlier-")
	if err != nil {
		return "", err
	}
	archive, err := git(context.Background(), "archive", "--format=tar", earlier).Output()
	if err != nil {
		return "", fmt.Errorf("reading commit %s: %w", earlier, err)
	}
	if err := unpack(archive, sources); err != nil {
		return "", fmt.Errorf("unpacking commit %s: %w", earlier, err)
	}
	main := filepath.Join(sources, "main.go")
	if err := calling(main, main, "earlier"); err != nil {
		return "", err
	}
	return manager.BuildIn(context.Background(), sources, sources, "-buildvcs=false")
})

// unpack writes the files of a tar archive.
func unpack(archive []byte, dir string) error {
	in, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	for files := tar.NewReader(bytes.NewReader(archive)); ; {
		file, err := files.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case file.Typeflag == tar.TypeReg:
			text, err := io.ReadAll(files)
			if err == nil {
				err = in.MkdirAll(filepath.Dir(file.Name), 0o750)
			}
			if err == nil {
				err = in.WriteFile(file.Name, text, 0o600)
			}
			if err != nil {
				return err
			}
		}
	}
}

// nextBuild compiles the sources as they are so that they call themselves another version.
func nextBuild(t *testing.T) string {
	t.Helper()
	binary, err := manager.Build(t.Context(), t.TempDir(), "-ldflags", "-X github.com/sluice-rollouts/sluice/internal/version.released=next")
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// calling writes the main.go of an earlier manager so that it calls itself some version.
func calling(main, to, version string) error {
	text, err := os.ReadFile(main)
	if err != nil {
		return err
	}
	const asked = "func version() string {"
	if !bytes.Contains(text, []byte(asked)) {
		return fmt.Errorf("%s has no %s: both builds would call themselves the same", main, asked)
	}
	answers := fmt.Sprintf("%s return %q }\n\nfunc versionOfTheBuild() string {", asked, version)
	return os.WriteFile(to, bytes.Replace(text, []byte(asked), []byte(answers), 1), 0o600)
}
