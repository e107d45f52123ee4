// Package stack is a stack.
package stack

import "fmt"

const limit = 10

// Stack holds items.
type Stack[T any] struct {
	items []T
}

// Push puts an item on top.
func (s *Stack[T]) Push(item T) { s.items = append(s.items, item) }

func main() {
	fmt.Println("brace in a string {")
}
