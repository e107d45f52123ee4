package realtime

import "github.com/goals-tracker/tracker/modules/core/privacy"

// Privacy is what this module keeps about people: nothing beyond open sockets.
var Privacy = privacy.Registry{}
