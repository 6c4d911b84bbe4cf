package series

import "strings"

// maxNesting bounds the parentheses of a filter.
const maxNesting = 32

// parser reads the filter grammar of Cloud Monitoring as far as it is modelled:
//
//	all:        any { [ "AND" ] any }
//	any:        term { "OR" term }
//	term:       "(" all ")" or comparison
//	comparison: path ( "=" | "!=" ) ( value | call )
//	call:       name "(" string { "," string } ")"
//	value:      string | number | "true" | "false"
//	path:       name { "." ( name | string ) }
//
// OR binds tighter than AND, as in AIP-160.
type parser struct {
	text   string
	tokens []token
	at     int
	depth  int
}

func parseFilter(text string) (filter, error) {
	tokens, err := lex(text)
	if err != nil {
		return filter{}, err
	}
	p := &parser{text: text, tokens: tokens}
	if p.peek().kind == tokenEnd {
		return filter{text: text}, nil
	}
	root, err := p.all()
	if err != nil {
		return filter{}, err
	}
	if left := p.peek(); left.kind != tokenEnd {
		return filter{}, p.unexpected(left, "AND, OR or the end")
	}
	return filter{text, root}, nil
}

func (p *parser) peek() token { return p.tokens[p.at] }

// take returns the next token. The last one is the end, and stays.
func (p *parser) take() token {
	t := p.tokens[p.at]
	if t.kind != tokenEnd {
		p.at++
	}
	return t
}

// skip takes the next token if it is the wanted one.
func (p *parser) skip(kind tokenKind, text string) bool {
	if t := p.peek(); t.kind != kind || t.text != text {
		return false
	}
	p.at++
	return true
}

func (p *parser) unexpected(t token, want string) *Error {
	return invalidField("filter", p.text, "Expected "+want+" and found "+t.describe()+".")
}

func (p *parser) all() (node, error) {
	var kids []node
	for {
		kid, err := p.anyOf()
		if err != nil {
			return node{}, err
		}
		kids = append(kids, kid)
		explicit := p.skip(tokenName, "AND")
		if !explicit && !p.peek().opensTerm() {
			return joined(opAll, kids), nil
		}
	}
}

func (p *parser) anyOf() (node, error) {
	var kids []node
	for {
		kid, err := p.term()
		if err != nil {
			return node{}, err
		}
		kids = append(kids, kid)
		if !p.skip(tokenName, "OR") {
			return joined(opAny, kids), nil
		}
	}
}

func joined(op operator, kids []node) node {
	if len(kids) == 1 {
		return kids[0]
	}
	return node{op: op, kids: kids}
}

func (p *parser) term() (node, error) {
	if !p.skip(tokenSign, "(") {
		return p.comparison()
	}
	p.depth++
	if p.depth > maxNesting {
		return node{}, invalidField("filter", p.text, "Parentheses are nested too deeply.")
	}
	inner, err := p.all()
	if err != nil {
		return node{}, err
	}
	if !p.skip(tokenSign, ")") {
		return node{}, p.unexpected(p.peek(), `")"`)
	}
	p.depth--
	return inner, nil
}

func (p *parser) comparison() (node, error) {
	path, err := p.path()
	if err != nil {
		return node{}, err
	}
	what, ok := fieldOf(path)
	if !ok {
		return node{}, invalidField("filter", p.text, "Unknown selector "+strings.Join(path, ".")+
			". Known are project, metric.type, metric.labels.KEY, resource.type and resource.labels.KEY.")
	}
	leaf := node{op: opCompare, field: what}
	switch op := p.take(); {
	case op.kind == tokenSign && op.text == "=":
	case op.kind == tokenSign && op.text == "!=":
		leaf.test.negated = true
	default:
		return node{}, p.unexpected(op, "= or !=")
	}
	leaf.test.function, leaf.test.values, err = p.value()
	return leaf, err
}

func (p *parser) path() ([]string, error) {
	first := p.take()
	if first.kind != tokenName || first.isKeyword() {
		return nil, p.unexpected(first, "a selector")
	}
	path := []string{first.text}
	for p.skip(tokenSign, ".") {
		part := p.take()
		if part.kind != tokenName && part.kind != tokenString {
			return nil, p.unexpected(part, "a name after the dot")
		}
		path = append(path, part.text)
	}
	return path, nil
}

// value reads a literal or a call. Only numbers and booleans may go unquoted, so
// that a forgotten quote is an error and not another filter.
func (p *parser) value() (function string, values []string, err error) {
	t := p.peek()
	if t.kind == tokenString || t.kind == tokenNumber || t.text == "true" || t.text == "false" {
		return "", []string{p.take().text}, nil
	}
	if t.kind != tokenName || t.isKeyword() {
		return "", nil, p.unexpected(t, "a quoted value")
	}
	path, err := p.path()
	if err != nil {
		return "", nil, err
	}
	function = strings.Join(path, ".")
	if !p.skip(tokenSign, "(") {
		return "", nil, invalidField("filter", p.text, "The value "+function+" must be quoted.")
	}
	if _, known := functions[function]; !known {
		return "", nil, invalidField("filter", p.text, "The function "+function+
			" is not supported here. Supported are one_of, starts_with, ends_with and has_substring.")
	}
	values, err = p.arguments()
	if err == nil && len(values) > 1 && function != "one_of" {
		err = invalidField("filter", p.text, "The function "+function+" takes one argument.")
	}
	return function, values, err
}

func (p *parser) arguments() ([]string, error) {
	var values []string
	for {
		t := p.take()
		if t.kind != tokenString && t.kind != tokenNumber {
			return nil, p.unexpected(t, "a quoted argument")
		}
		values = append(values, t.text)
		if p.skip(tokenSign, ")") {
			return values, nil
		}
		if !p.skip(tokenSign, ",") {
			return nil, p.unexpected(p.peek(), `"," or ")"`)
		}
	}
}
