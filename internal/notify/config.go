package notify

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// Format is the form in which a sink wants its news.
type Format string

// The formats.
const (
	// CloudEvents is a CloudEvent 1.0 in structured mode, as JSON.
	CloudEvents Format = "CloudEvents"
	// Slack is the body of an incoming webhook of Slack, which others understand too.
	Slack Format = "Slack"
)

// Level is how much a sink wants to hear.
type Level string

// The levels.
const (
	// Warnings leaves out what goes well.
	Warnings Level = "Warnings"
	// All leaves out nothing.
	All Level = "All"
)

// minKey is the shortest key for signatures, in bytes.
const minKey = 16

// Sink is one place that news go to.
type Sink struct {
	// Name is what metrics and logs call it.
	Name string `json:"name"`
	// Format is CloudEvents if it is empty.
	Format Format `json:"format,omitempty"`
	// Level is Warnings if it is empty.
	Level Level `json:"level,omitempty"`
	// Namespaces are those of the rollouts that it hears of; none means all.
	Namespaces []string `json:"namespaces,omitempty"`
	// URLFile is a file with the address and nothing else, because that of a webhook
	// is a secret.
	URLFile string `json:"urlFile"`
	// KeyFile is a file with the key that bodies are signed with; none signs none.
	KeyFile string `json:"keyFile,omitempty"`

	address string
	key     []byte
}

// Parse reads the sinks of a file, and their addresses and keys with read. Its
// errors say what to write instead, and no address.
func Parse(text []byte, read func(file string) ([]byte, error)) ([]Sink, error) {
	var file struct {
		Sinks []Sink `json:"sinks"`
	}
	if err := yaml.UnmarshalStrict(text, &file); err != nil {
		return nil, fmt.Errorf("write sinks: [{name, format, level, namespaces, urlFile, keyFile}]: %w", err)
	}
	names := map[string]bool{}
	for i := range file.Sinks {
		sink := &file.Sinks[i]
		if err := sink.complete(read); err != nil {
			return nil, fmt.Errorf("sinks[%d] %q: %w", i, sink.Name, err)
		}
		if names[sink.Name] {
			return nil, fmt.Errorf("sinks[%d] %q: write another name, this one is taken", i, sink.Name)
		}
		names[sink.Name] = true
	}
	return file.Sinks, nil
}

func (s *Sink) complete(read func(string) ([]byte, error)) error {
	if s.Format == "" {
		s.Format = CloudEvents
	}
	if s.Level == "" {
		s.Level = Warnings
	}
	switch {
	case s.Name == "":
		return errors.New("write a name, which metrics and logs call it by")
	case s.Format != CloudEvents && s.Format != Slack:
		return fmt.Errorf("write the format %s or %s, not %q", CloudEvents, Slack, s.Format)
	case s.Level != Warnings && s.Level != All:
		return fmt.Errorf("write the level %s or %s, not %q", Warnings, All, s.Level)
	case s.URLFile == "":
		return errors.New("write urlFile, a file that holds the address")
	}
	text, err := read(s.URLFile)
	if err != nil {
		return fmt.Errorf("urlFile: %w", err)
	}
	if s.address, err = addressOf(string(text)); err != nil {
		return fmt.Errorf("urlFile %s: %w", s.URLFile, err)
	}
	if s.KeyFile == "" {
		return nil
	}
	if s.key, err = read(s.KeyFile); err != nil {
		return fmt.Errorf("keyFile: %w", err)
	}
	s.key = bytes.TrimRight(s.key, "\r\n") // of the line that openssl writes
	if len(s.key) < minKey {
		return fmt.Errorf("keyFile %s: write at least %d bytes, like those of: openssl rand -hex 32", s.KeyFile, minKey)
	}
	return nil
}

// addressOf checks an address. It is not repeated: whoever knows a webhook's can
// write to it.
func addressOf(text string) (string, error) {
	address := strings.TrimSpace(text)
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "":
		return "", errors.New("write one address like https://hooks.example.com/path")
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return address, nil
	default:
		return "", errors.New("write an address with https; http only reaches this machine itself")
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// wants tells whether a sink is to hear of something.
func (s *Sink) wants(n News) bool {
	return (s.Level == All || n.Warning) && (len(s.Namespaces) == 0 || slices.Contains(s.Namespaces, n.Namespace))
}
