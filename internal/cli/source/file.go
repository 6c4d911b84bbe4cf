package source

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	strict "sigs.k8s.io/yaml"

	"github.com/sluice-rollouts/sluice/api/v1alpha1"
)

// File is what kubectl get -o yaml or -o json wrote. Several versions of one
// rollout, as kubectl get -w writes them, are a recording: the last one is what
// is, and to follow it is to play the recording.
type File []v1alpha1.CloudRunRollout

// ReadFile reads objects and lists of them. What is no CloudRunRollout is passed
// over, because files of a whole namespace have others; one without any is an
// error.
func ReadFile(r io.Reader) (File, error) {
	var file File
	for item, err := range documents(r) {
		if err != nil {
			return nil, fmt.Errorf("reading objects: %w", err)
		}
		found, err := item.rollouts()
		if err != nil {
			return nil, err
		}
		file = append(file, found...)
	}
	if len(file) == 0 {
		return nil, errors.New("no CloudRunRollout in it: write one with kubectl get crr -o yaml")
	}
	return file, nil
}

// documents are the objects of a stream of JSON, or of YAML. Of two that were written one
// below the other without a --- one would be lost without a word.
func documents(r io.Reader) iter.Seq2[document, error] {
	next := decoding(r)
	return func(yield func(document, error) bool) {
		for {
			var item document
			err := next(&item)
			if errors.Is(err, io.EOF) || !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// decoding reads the next object each time, until io.EOF.
func decoding(r io.Reader) func(into any) error {
	buffered := bufio.NewReader(r)
	if head, _ := buffered.Peek(1024); yaml.IsJSONBuffer(head) {
		return yaml.NewYAMLOrJSONDecoder(buffered, 4096).Decode
	}
	texts := yaml.NewYAMLReader(buffered)
	return func(into any) error {
		text, err := texts.Read()
		if err != nil {
			return err
		}
		if err := strict.UnmarshalStrict(text, into); err != nil {
			return fmt.Errorf("%w; between two objects write a line with ---", err)
		}
		return nil
	}
}

// document is an object or a list of such.
type document struct {
	metav1.TypeMeta
	raw   []byte
	Items []document
}

// UnmarshalJSON keeps the text, because the kind says how to read it.
func (d *document) UnmarshalJSON(text []byte) error {
	var kind struct {
		metav1.TypeMeta `json:",inline"`
		Items           []document `json:"items"`
	}
	if err := json.Unmarshal(text, &kind); err != nil {
		return err
	}
	*d = document{kind.TypeMeta, bytes.Clone(text), kind.Items}
	return nil
}

func (d document) rollouts() ([]v1alpha1.CloudRunRollout, error) {
	var found []v1alpha1.CloudRunRollout
	for _, item := range d.Items {
		below, err := item.rollouts()
		if err != nil {
			return nil, err
		}
		found = append(found, below...)
	}
	if d.Kind != "CloudRunRollout" {
		return found, nil
	}
	if d.GroupVersionKind().GroupVersion() != v1alpha1.GroupVersion {
		return nil, fmt.Errorf("apiVersion is %q: this command reads %s", d.APIVersion, v1alpha1.GroupVersion)
	}
	var ro v1alpha1.CloudRunRollout
	if err := json.Unmarshal(d.raw, &ro); err != nil {
		return nil, fmt.Errorf("reading a CloudRunRollout: %w", err)
	}
	return append(found, ro), nil
}

// List gives the newest version of each rollout.
func (f File) List(_ context.Context, namespace string) ([]v1alpha1.CloudRunRollout, error) {
	var newest []v1alpha1.CloudRunRollout
	for _, ro := range f {
		if namespace != "" && ro.Namespace != namespace {
			continue
		}
		same := func(other v1alpha1.CloudRunRollout) bool { return nameOf(other) == nameOf(ro) }
		if i := slices.IndexFunc(newest, same); i >= 0 {
			newest[i] = ro
			continue
		}
		newest = append(newest, ro)
	}
	return newest, nil
}

// Get gives the newest version of a rollout.
func (f File) Get(_ context.Context, name Name) (*v1alpha1.CloudRunRollout, error) {
	for i := range slices.Backward(f) {
		if nameOf(f[i]) == name {
			return &f[i], nil
		}
	}
	return nil, fmt.Errorf("CloudRunRollout %s: %w in the file", name, ErrNotFound)
}

// Follow gives each version of a rollout.
func (f File) Follow(ctx context.Context, name Name) iter.Seq2[*v1alpha1.CloudRunRollout, error] {
	return func(yield func(*v1alpha1.CloudRunRollout, error) bool) {
		if _, err := f.Get(ctx, name); err != nil {
			yield(nil, err)
			return
		}
		for i := range f {
			if nameOf(f[i]) == name && !yield(&f[i], nil) {
				return
			}
		}
	}
}

func nameOf(ro v1alpha1.CloudRunRollout) Name { return Name{ro.Namespace, ro.Name} }
