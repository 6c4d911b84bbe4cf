{{- define "gvList" -}}
<!-- make docs wrote this from the comments in api/; change them there. -->
{{ range . }}{{ template "gvDetails" . }}{{ end }}
{{- end -}}
