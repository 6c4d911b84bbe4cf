package template

import (
	"fmt"
	"strings"
)

// Finding is what is deployed all the same, and is a mistake as a rule.
type Finding struct {
	Path string // in the manifest
	Text string // what it is, and what to write instead; never a value
	// Secret tells that it is about a literal that seems to be a secret.
	Secret bool
}

// String writes both.
func (f Finding) String() string { return f.Path + ": " + f.Text }

// findings looks through a template that is accepted, ten at most.
func findings(tree map[string]any) []Finding {
	var all []Finding
	containers, _ := tree["containers"].([]any)
	for i, value := range containers {
		container, _ := value.(map[string]any)
		all = append(all, ofContainer(item(manifestPath+".containers", i), container)...)
	}
	if len(all) > maxProblems {
		more := len(all) - maxProblems + 1
		all = append(all[:maxProblems-1], Finding{Path: manifestPath, Text: fmt.Sprintf("%d more findings of these kinds", more)})
	}
	return all
}

func ofContainer(path string, container map[string]any) []Finding {
	var all []Finding
	image, _ := container["image"].(string)
	if text := ofImage(image); text != "" {
		all = append(all, Finding{Path: path + ".image", Text: text})
	}
	variables, _ := container["env"].([]any)
	for i, value := range variables {
		variable, _ := value.(map[string]any)
		name, _ := variable["name"].(string)
		literal, _ := variable["value"].(string)
		if why := secretIn(name, literal); why != "" {
			all = append(all, Finding{
				Path: item(path+".env", i) + ".value", Secret: true,
				Text: why + ", and everybody who may read this object or the revision can read it: use valueSource.secretKeyRef",
			})
		}
	}
	for _, field := range []string{"command", "args"} {
		words, _ := container[field].([]any)
		before := ""
		for i, value := range words {
			word, _ := value.(string)
			if why := secretAmong(before, word); why != "" {
				all = append(all, Finding{
					Path: item(path+"."+field, i), Secret: true,
					Text: why + ", and everybody who may read this object or the revision can read it: hand it over in a variable of env and use valueSource.secretKeyRef",
				})
			}
			before = word
		}
	}
	return all
}

// ofImage is what to say of an image that is not one for good. Cloud Run looks a tag up
// once, when it makes the revision.
func ofImage(image string) string {
	if strings.Contains(image, "@sha256:") {
		return ""
	}
	name := image[strings.LastIndexByte(image, '/')+1:]
	_, tag, tagged := strings.Cut(name, ":")
	if !tagged || tag == "latest" {
		return "its tag is latest, which says nothing of what is deployed, and a new image under it is not deployed because this text stays the same: write the image with its digest, NAME@sha256:..."
	}
	return "without a digest: a new image under the same tag is not deployed, because this text stays the same, and an older text may deploy another image than it did: write the image with its digest, NAME:TAG@sha256:..."
}
