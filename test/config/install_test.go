package config

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

const (
	guide = repository + "/docs/install.md"
	// published stands for what make image leaves in dist/image-reference.
	published = "registry.example/acme/sluice@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

// commands are the blocks of the guide that a shell reads, in their order. Nothing
// here runs them.
func commands(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, match := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		all.WriteString(match[1])
	}
	if all.Len() < 1000 {
		t.Fatalf("only %d bytes of commands", all.Len())
	}
	return all.String()
}

func TestAShellCanReadTheGuide(t *testing.T) {
	check := exec.CommandContext(t.Context(), "sh", "-n") // -n reads and runs nothing
	check.Stdin = strings.NewReader(commands(t))
	if said, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, said)
	}
}

// TestWhatTheGuideUsesItHasSetBefore: no line needs a value that nobody was told of, and
// nobody is told of one that no line needs.
func TestWhatTheGuideUsesItHasSetBefore(t *testing.T) {
	for _, wrong := range settings(commands(t)) {
		t.Error(wrong)
	}
	for text, want := range map[string]string{
		"A=1\nrun $A\n":                  "",
		"A=1\nB=$A\nrun ${B%x}\n":        "",
		"run $A\n":                       "A is not set before: run $A",
		"A=$A\nrun $A\n":                 "A is not set before: A=$A",
		"A=1\nrun\n":                     "A is set and not used: A=1",
		"A=1\nrun $A\nA=2\n":             "A is set and not used: A=2",
		"export A=1\nrun\nA=2\nrun $A\n": "A is set and not used: export A=1",
	} {
		if got := strings.Join(settings(text), "; "); got != want {
			t.Errorf("of %q it says %q, want %q", text, got, want)
		}
	}
}

// settings says what of the variables in some lines is set without use, or used without
// being set.
func settings(text string) []string {
	var wrong []string
	unused, set := map[string]string{}, map[string]bool{} // unused: the lines that set them
	sets := regexp.MustCompile(`^(?:export )?([A-Z_]+)=`)
	uses := regexp.MustCompile(`\$\{?([A-Z_]+)`)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		for _, match := range uses.FindAllStringSubmatch(line, -1) {
			if !set[match[1]] {
				wrong = append(wrong, match[1]+" is not set before: "+line)
			}
			delete(unused, match[1])
		}
		if match := sets.FindStringSubmatch(line); match != nil {
			name := match[1]
			if before, idle := unused[name]; idle {
				wrong = append(wrong, name+" is set and not used: "+before)
			}
			set[name], unused[name] = true, line
		}
	}
	for _, name := range slices.Sorted(maps.Keys(unused)) {
		wrong = append(wrong, name+" is set and not used: "+unused[name])
	}
	return wrong
}

func TestTheGuideNamesFilesAndTargetsThatThereAre(t *testing.T) {
	text := commands(t)
	paths := regexp.MustCompile(`(?:^|[ =])((?:config|charts)/[a-z/-]+(?:\.yaml)?)`).FindAllStringSubmatch(text, -1)
	if len(paths) < 5 {
		t.Errorf("only %d files are named", len(paths))
	}
	for _, match := range paths {
		if _, err := os.Stat(filepath.Join(repository, match[1])); err != nil {
			t.Error(err)
		}
	}
	makefile, err := os.ReadFile(filepath.Join(repository, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range regexp.MustCompile(`(?m)^make ([a-z-]+)`).FindAllStringSubmatch(text, -1) {
		if !strings.Contains(string(makefile), "\n"+match[1]+": ") {
			t.Errorf("make %s is no target", match[1])
		}
	}
}

// TestTheGuideBindsEveryRoleWhereItWasMade, and takes each binding away again.
func TestTheGuideBindsEveryRoleWhereItWasMade(t *testing.T) {
	text := commands(t)
	made := regexp.MustCompile(`gcloud iam roles create (\w+) --project=(\S+) --file=config/iam/(\S+)`).FindAllStringSubmatch(text, -1)
	if len(made) != len(roleFiles) {
		t.Errorf("%d roles are made of %d files", len(made), len(roleFiles))
	}
	for _, match := range made {
		if _, known := roleFiles[match[3]]; !known {
			t.Errorf("%s is made of %s", match[1], match[3])
		}
		role := "--role=projects/" + match[2] + "/roles/" + match[1]
		for _, verb := range []string{"add", "remove"} {
			if !regexp.MustCompile(verb + `-iam-policy-binding [^\n]*\\\n[^\n]*` + regexp.QuoteMeta(role) + `\n`).MatchString(text) {
				t.Errorf("no %s-iam-policy-binding has %s", verb, role)
			}
		}
	}
	if account := "[" + home + "/sluice-manager]"; !strings.Contains(text, account) {
		t.Errorf("Workload Identity is not for %s", account)
	}
}

// TestTheGuidesOwnDirectoryRenders: config/default with the image that was published,
// and the account that Workload Identity binds.
func TestTheGuidesOwnDirectoryRenders(t *testing.T) {
	match := regexp.MustCompile(`(?s)cat > deploy/kustomization\.yaml <<EOF\n(.*?)EOF\n`).FindStringSubmatch(commands(t))
	if match == nil {
		t.Fatal("the guide writes no kustomization")
	}
	const google = "sluice@acme-prod.iam.gserviceaccount.com"
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	to, err := filepath.Rel(dir, root)
	if err != nil {
		t.Fatal(err)
	}
	image, digest, _ := strings.Cut(published, "@")
	text := strings.NewReplacer("${IMAGE%@*}", image, "${IMAGE#*@}", digest, "$SLUICE", google, "../config", to+"/config").Replace(match[1])
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	objects, err := render(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(objects) != len(installed) {
		t.Errorf("%d objects, and config/default has %d", len(objects), len(installed))
	}
	for i := range objects {
		switch o := &objects[i]; o.GetKind() {
		case "Deployment":
			if got := convert[appsv1.Deployment](t, o).Spec.Template.Spec.Containers[0].Image; got != published {
				t.Errorf("the image is %s", got)
			}
		case "ServiceAccount":
			if got := convert[corev1.ServiceAccount](t, o).Annotations["iam.gke.io/gcp-service-account"]; got != google {
				t.Errorf("it acts as %q", got)
			}
		}
	}
}
