// Package wire is the JSON that REST, the WebSocket, CloudEvents and stored
// events share. Connect's own JSON stays standard protojson.
//
// It differs from protojson where people read it: snake_case names, enums
// short and lower-case (GOAL_STATUS_IN_PROGRESS is "in_progress"), 64-bit
// numbers as numbers, strings marked raw_json inlined as the JSON they hold,
// zero values, [] and {} shown, unset optional fields and messages left out.
//
// Input is strict: unknown and repeated names, NUL, invalid UTF-8, lone
// surrogates, and nesting past MaxDepth are errors that name the field.
//
// In a message with an update_mask, null means "clear". Where the mask was not
// sent but is needed to say what was meant (a null, an empty list), it becomes
// the list of all fields that were sent. Elsewhere null is the same as absent.
//
// It owns no transport; core/rpc does.
package wire
