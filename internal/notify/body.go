package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The headers of a request. Signature is "v1=" and the HMAC-SHA256 of the time in
// Timestamp, a dot and the body, in hex. Whoever gets it refuses old timestamps.
const (
	Signature = "Sluice-Signature"
	Timestamp = "Sluice-Timestamp"
)

// body is what is sent: its bytes and their type.
type body struct {
	bytes []byte
	kind  string
}

// event is a CloudEvent 1.0 (CloudEvents specification, JSON format).
type event struct {
	SpecVersion string `json:"specversion"`
	ID          string `json:"id"`
	Source      string `json:"source"`
	Type        string `json:"type"`
	Subject     string `json:"subject"`
	Time        string `json:"time"`
	ContentType string `json:"datacontenttype"`
	Data        data   `json:"data"`
}

type data struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Project   string `json:"project"`
	Location  string `json:"location"`
	Service   string `json:"service"`
	Attempt   int64  `json:"attempt,omitempty"`
	Phase     string `json:"phase"`
	Reason    string `json:"reason"`
	Severity  string `json:"severity"`
	Step      string `json:"step,omitempty"`
	Weight    string `json:"weight,omitempty"`
	Candidate string `json:"candidate,omitempty"`
	Stable    string `json:"stable,omitempty"`
	Message   string `json:"message"`
	Next      string `json:"next,omitempty"`
	LeftOut   int    `json:"leftOut,omitempty"`
}

func severityOf(n News) string {
	if n.Warning {
		return "warning"
	}
	return "info"
}

// bodyFor writes news in the form that a sink wants.
func (s *Sink) bodyFor(n News) (body, error) {
	if s.Format == Slack {
		text, err := json.Marshal(map[string]string{"text": slackText(n)})
		return body{text, "application/json"}, err
	}
	text, err := json.Marshal(event{
		SpecVersion: "1.0", ID: n.ID(), Type: "dev.sluice.rollouts." + n.Reason,
		Source:  fmt.Sprintf("/apis/rollouts.sluice.dev/v1alpha1/namespaces/%s/cloudrunrollouts/%s", n.Namespace, n.Name),
		Subject: n.Namespace + "/" + n.Name, Time: n.At.UTC().Format(time.RFC3339), ContentType: "application/json",
		Data: data{
			Namespace: n.Namespace, Name: n.Name, Project: n.Project, Location: n.Location, Service: n.Service,
			Attempt: n.Attempt, Phase: n.Phase, Reason: n.Reason, Severity: severityOf(n), Step: n.Step, Weight: n.Weight,
			Candidate: n.Candidate, Stable: n.Stable, Message: n.Text, Next: n.Next, LeftOut: n.LeftOut,
		},
	})
	return body{text, "application/cloudevents+json; charset=utf-8"}, err
}

// slackText is the same for people. What Slack reads as its own signs is escaped, as
// its documentation asks for, so that no text can mention a whole channel.
func slackText(n News) string {
	sign := ":white_check_mark:"
	if n.Warning {
		sign = ":warning:"
	}
	head := fmt.Sprintf("%s *%s/%s* %s", sign, escaped(n.Namespace), escaped(n.Name), escaped(n.Reason))
	if n.Weight != "" {
		head += " at " + escaped(n.Weight)
	}
	if n.Step != "" {
		head += ", step " + escaped(n.Step)
	}
	lines := []string{head + ", " + n.At.UTC().Format("Jan 2 15:04Z"), escaped(n.Text)}
	if n.Next != "" {
		lines = append(lines, "_Next:_ "+escaped(n.Next))
	}
	if n.LeftOut > 0 {
		lines = append(lines, fmt.Sprintf("_Changes not told since the last message:_ %d", n.LeftOut))
	}
	return strings.Join(lines, "\n")
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func escaped(text string) string { return escaper.Replace(text) }

// sign is the signature of a body at a time, in seconds since 1970.
func sign(key []byte, at time.Time, text []byte) (timestamp, signature string) {
	timestamp = strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(timestamp + "."))
	mac.Write(text)
	return timestamp, "v1=" + hex.EncodeToString(mac.Sum(nil))
}
