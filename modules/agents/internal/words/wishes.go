package words

import (
	"regexp"
	"strings"
)

// Wishes are what a learner adds to a goal.
type Wishes struct {
	// Known is what they know already or want to leave out; Focus what they want
	// it to be about, if they say so. Both are in their own words.
	Known, Focus []string
}

var (
	clause = regexp.MustCompile(`[.;!?\n]+|,?\s+(?:but|so|pero|aunque|así que)\s+`)
	known  = regexp.MustCompile(`(?i)\b(?:i(?:'m| am)? (?:already |also |really )*(?:know|understand|comfortable with|familiar with|did|finished|learned|learnt|can do|have done)|` +
		`(?:please )?(?:skip|omit|leave out|without|no more|not? need)|(?:ya|también|tambien) (?:sé|se|conozco|domino|entiendo|hice|vi|aprendí|aprendi)|` +
		`(?:conozco|domino|manejo)|(?:omite|salta|quita|sáltate|saltate|sin|omitir|saltar)) (?:the |el |la |los |las |lo de |usar |trabajar con )*(.+)`)
	focus = regexp.MustCompile(`(?i)\b(?:only|just|focus(?:ed)? on|mostly|especially|solo|sólo|solamente|sobre todo|centrado en|céntrate en|centrate en|enfocado en) (.+)`)
)

// ReadWishes reads what a learner wrote.
func ReadWishes(text string) (w Wishes) {
	for _, part := range clause.Split(text, -1) {
		part = strings.TrimSpace(part)
		if m := known.FindStringSubmatch(part); m != nil {
			w.Known = append(w.Known, m[1])
		} else if m := focus.FindStringSubmatch(part); m != nil {
			w.Focus = append(w.Focus, m[1])
		}
	}
	return w
}
