package rpc

// Language is the language of messages for an Accept-Language header: "es" or
// "en".
func Language(accept string) string { return language(accept) }
