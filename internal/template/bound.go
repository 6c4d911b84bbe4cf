package template

import (
	"github.com/sluice-rollouts/sluice/internal/access"
	"github.com/sluice-rollouts/sluice/internal/rollout"
)

// Bound is what a CloudRunAccess has to permit of a template that was read: each image,
// and whose identity its revision gets.
func Bound(t rollout.Template) access.Template {
	tree, _ := decode([]byte(t.JSON)).(map[string]any)
	var b access.Template
	b.Account, _ = tree["serviceAccount"].(string)
	if _, there := tree["workloadIdentityConfig"]; there {
		b.Identities = append(b.Identities, manifestPath+".workloadIdentityConfig")
	}
	each(tree["containers"], manifestPath+".containers", func(path string, container map[string]any) {
		image(&b, path+".image", container["image"])
		image(&b, path+".baseImageUri", container["baseImageUri"])
		if _, there := container["sourceCode"]; there {
			b.Sources = append(b.Sources, path+".sourceCode")
		}
	})
	sandboxes, _ := tree["sandboxes"].(map[string]any)
	each(sandboxes["templates"], manifestPath+".sandboxes.templates", func(path string, sandbox map[string]any) {
		image(&b, path+".image", sandbox["image"])
	})
	return b
}

// each looks at the objects of a list.
func each(list any, path string, look func(path string, object map[string]any)) {
	values, _ := list.([]any)
	for i, value := range values {
		object, _ := value.(map[string]any)
		look(item(path, i), object)
	}
}

// image notes one that is written.
func image(b *access.Template, path string, value any) {
	if name, _ := value.(string); name != "" {
		b.Images = append(b.Images, access.Image{Path: path, Name: name})
	}
}
