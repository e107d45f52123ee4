package broker

import (
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"
)

// DefaultDeliveryLimit is how often a message is tried before it goes to the
// dead letters.
const DefaultDeliveryLimit = 8

// Binding is what a queue wants of a topic exchange.
type Binding struct {
	// Exchange is declared, durable, when it isn't there.
	Exchange string
	// Key is a routing key; * stands for a word, # for any number of words.
	Key string
}

// Queue is a durable quorum queue with a queue of dead letters beside it.
type Queue struct {
	// Name is the queue's. Required.
	Name string
	// Bindings say what it gets.
	Bindings []Binding
	// DeliveryLimit is how often a message is tried. Defaults to
	// DefaultDeliveryLimit. It is the broker's for good: another one takes a queue
	// of another name.
	DeliveryLimit int
}

// DeadName is the name of the queue's dead letters.
func (q Queue) DeadName() string { return DeadName(q.Name) }

// DeadName is the name of the dead letters of a queue.
func DeadName(queue string) string { return queue + ".dead" }

// declareExchange makes a durable topic exchange unless it is there.
func declareExchange(channel *amqp.Channel, name string) error {
	if err := channel.ExchangeDeclare(name, amqp.ExchangeTopic, true, false, false, false, nil); err != nil {
		return fmt.Errorf("declare exchange %s: %w", name, explain(err))
	}
	return nil
}

// declare makes the queue, what it is bound to, and its dead letters.
func (q Queue) declare(channel *amqp.Channel) error {
	limit := q.DeliveryLimit
	if limit <= 0 {
		limit = DefaultDeliveryLimit
	}
	if err := declareDead(channel, q.DeadName()); err != nil {
		return err
	}
	_, err := channel.QueueDeclare(q.Name, true, false, false, false, amqp.Table{
		amqp.QueueTypeArg: amqp.QueueTypeQuorum, "x-delivery-limit": int32(limit),
		"x-dead-letter-exchange": "", "x-dead-letter-routing-key": q.DeadName(),
	})
	if err != nil {
		return fmt.Errorf("declare queue %s: %w", q.Name, explain(err))
	}
	for _, b := range q.Bindings {
		if err := declareExchange(channel, b.Exchange); err != nil {
			return err
		}
		if err := channel.QueueBind(q.Name, b.Key, b.Exchange, false, nil); err != nil {
			return fmt.Errorf("bind queue %s to %s: %w", q.Name, b.Exchange, explain(err))
		}
	}
	return nil
}

// declareDead makes a queue of dead letters. RabbitMQ 4 throws away what was
// looked at too often unless a limit says otherwise; 0 and -1 are not for all
// versions.
func declareDead(channel *amqp.Channel, name string) error {
	_, err := channel.QueueDeclare(name, true, false, false, false, amqp.Table{
		amqp.QueueTypeArg: amqp.QueueTypeQuorum, "x-delivery-limit": int32(1_000_000),
	})
	if err != nil {
		return fmt.Errorf("declare queue %s: %w", name, explain(err))
	}
	return nil
}
