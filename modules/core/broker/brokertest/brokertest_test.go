package brokertest_test

import (
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/goals-tracker/tracker/modules/core/broker/brokertest"
)

func TestEachTestGetsAVirtualHostOfItsOwn(t *testing.T) {
	first, second := open(t, brokertest.URL(t)), open(t, brokertest.URL(t))
	if _, err := first.QueueDeclare("mine", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := second.QueueDeclarePassive("mine", true, false, false, false, nil); err == nil {
		t.Error("a queue of one virtual host is seen in the other")
	}
}

func open(t *testing.T, url string) *amqp.Channel {
	t.Helper()
	conn, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	channel, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return channel
}
