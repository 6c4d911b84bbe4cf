{{- define "type" -}}
{{- if markdownShouldRenderType . }}
## {{ .Name }}

{{ .Doc }}
{{- if .References }}

Used by {{ range $i, $t := .SortedReferences }}{{ if $i }}, {{ end }}{{ markdownRenderTypeLink $t }}{{ end }}.
{{- end }}
{{ if .Members }}
| field | type | meaning |
|---|---|---|
{{- if .GVK }}
| `apiVersion` | string | always `{{ .GVK.Group }}/{{ .GVK.Version }}` |
| `kind` | string | always `{{ .GVK.Kind }}` |
{{- end }}
{{- range .Members }}
| `{{ .Name }}`{{ if has "Required: {}" .Validation }} *{{ end }} | {{ markdownRenderType .Type }} | {{ template "type_members" . }} |
{{- end }}
{{ end -}}
{{- if .EnumValues }}
| value | meaning |
|---|---|
{{- range .EnumValues }}
| `{{ .Name }}` | {{ regexReplaceAll "^[A-Z][A-Za-z]*:? " (.Doc | replace "\n" " " | trim) "" }} |
{{- end }}
{{ end -}}
{{- end -}}
{{- end -}}
