{{- define "gvDetails" -}}
# {{ .GroupVersionString }}

`kubectl explain crr.spec` shows the same in a terminal. A field with a star is
required; what happens when another one is left out is said beside it.
kube-apiserver refuses what breaks a rule, and says what to write instead.

The resources are {{ range $i, $kind := .SortedKinds }}{{ if $i }}, {{ end }}{{ $.TypeForKind $kind | markdownRenderTypeLink }}{{ end }}. What is rolled out begins with
[its spec](#cloudrunrolloutspec) and [its status](#cloudrunrolloutstatus). The
other types follow by name.
{{ range .SortedTypes }}{{ template "type" . }}{{ end -}}
{{- end -}}
