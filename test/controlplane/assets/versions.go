package assets

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// modulePath is the root module's; the modules below it have longer ones.
const modulePath = "github.com/sluice-rollouts/sluice"

// versions are those hack/controlplane builds. Its go.mod is the one place
// where they are written.
type versions struct {
	kubernetes string // such as v1.37.2
	etcd       string // such as v3.7.3
}

var (
	kubernetesLine = regexp.MustCompile(`(?m)^\s*(?:require )?k8s\.io/kubernetes (v\S+)`)
	etcdLine       = regexp.MustCompile(`(?m)^\s*(?:require )?go\.etcd\.io/etcd/server/v3 (v\S+)`)
)

func readVersions(root string) (versions, error) {
	path := filepath.Join("hack", "controlplane", "go.mod")
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		return versions{}, err
	}
	kubernetes, etcd := kubernetesLine.FindSubmatch(text), etcdLine.FindSubmatch(text)
	if kubernetes == nil || etcd == nil {
		return versions{}, fmt.Errorf("%s requires no version of k8s.io/kubernetes or go.etcd.io/etcd/server/v3", path)
	}
	return versions{kubernetes: string(kubernetes[1]), etcd: string(etcd[1])}, nil
}

// series is the minor version the way envtest releases are asked for, such as 1.37.
func (v versions) series() string {
	major, minor := v.majorMinor()
	return major + "." + minor
}

func (v versions) majorMinor() (major, minor string) {
	parts := strings.SplitN(strings.TrimPrefix(v.kubernetes, "v"), ".", 3)
	if len(parts) < 2 {
		return parts[0], "0"
	}
	return parts[0], parts[1]
}

// RepositoryRoot returns the root of the clone the caller works in. It walks up from the working directory, which is the package's own
// under go test and anywhere in the clone for a program.
func RepositoryRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		text, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(text), "module "+modulePath+"\n") {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no clone of Sluice here: run this inside one, or set " + assetsVariable)
		}
		dir = parent
	}
}
