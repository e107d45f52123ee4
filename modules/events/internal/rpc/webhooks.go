package rpc

import (
	"context"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/goals-tracker/tracker/modules/core/page"
	"github.com/goals-tracker/tracker/modules/core/postgres"
	"github.com/goals-tracker/tracker/modules/core/rpc"
	"github.com/goals-tracker/tracker/modules/events"
	eventsv1 "github.com/goals-tracker/tracker/sdk/gen/tracker/events/v1"
	"github.com/goals-tracker/tracker/sdk/gen/tracker/events/v1/eventsv1connect"
)

// WebhooksHandler implements WebhooksService.
type WebhooksHandler struct {
	db       *postgres.DB
	webhooks events.Webhooks
}

// NewWebhooks makes the handler.
func NewWebhooks(db *postgres.DB, webhooks events.Webhooks) *WebhooksHandler {
	return &WebhooksHandler{db: db, webhooks: webhooks}
}

// WebhooksService is the handler as the server mounts it.
func WebhooksService(db *postgres.DB, webhooks events.Webhooks) rpc.Service {
	return rpc.Service{New: func(opts ...connect.HandlerOption) (string, http.Handler) {
		return eventsv1connect.NewWebhooksServiceHandler(NewWebhooks(db, webhooks), opts...)
	}}
}

// CreateWebhook implements WebhooksService.
func (h *WebhooksHandler) CreateWebhook(ctx context.Context, req *eventsv1.CreateWebhookRequest) (*eventsv1.WebhookSecret, error) {
	return h.tellOnce(ctx, req, func(ctx context.Context, tx *postgres.Tx) (events.Webhook, string, error) {
		return h.webhooks.CreateTx(ctx, tx, events.Webhook{
			CourseID: req.GetCourseId(), URL: req.GetUrl(), Types: req.GetTypes(), Description: req.GetDescription(),
		})
	})
}

// tellOnce answers with a secret that is in no idempotency row: those would keep
// it readable for two days.
func (h *WebhooksHandler) tellOnce(ctx context.Context, req proto.Message,
	fn func(ctx context.Context, tx *postgres.Tx) (events.Webhook, string, error),
) (*eventsv1.WebhookSecret, error) {
	secret := ""
	answer, err := rpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*eventsv1.WebhookSecret, error) {
		w, told, err := fn(ctx, tx)
		m, err := webhookMessage(w, err)
		if err != nil {
			return nil, err
		}
		secret = told
		return &eventsv1.WebhookSecret{Webhook: m}, nil
	})
	if err != nil {
		return nil, err
	}
	answer.Secret = secret
	return answer, nil
}

// GetWebhook implements WebhooksService.
func (h *WebhooksHandler) GetWebhook(ctx context.Context, req *eventsv1.GetWebhookRequest) (*eventsv1.Webhook, error) {
	id, err := parseID("id", req.GetId())
	if err != nil {
		return nil, err
	}
	return webhookMessage(h.webhooks.Get(ctx, rpc.Actor(ctx), id))
}

// ListWebhooks implements WebhooksService.
func (h *WebhooksHandler) ListWebhooks(ctx context.Context, req *eventsv1.ListWebhooksRequest) (*eventsv1.ListWebhooksResponse, error) {
	all, err := h.webhooks.List(ctx, rpc.Actor(ctx), req.GetCourseId())
	if err != nil {
		return nil, err
	}
	resp := &eventsv1.ListWebhooksResponse{}
	for _, w := range all {
		m, _ := webhookMessage(w, nil)
		resp.Webhooks = append(resp.Webhooks, m)
	}
	return resp, nil
}

// UpdateWebhook implements WebhooksService.
func (h *WebhooksHandler) UpdateWebhook(ctx context.Context, req *eventsv1.UpdateWebhookRequest) (*eventsv1.Webhook, error) {
	id, err := parseID("id", req.GetId())
	if err != nil {
		return nil, err
	}
	change := events.WebhookChange{URL: req.Url, Description: req.Description, Enabled: req.Enabled} //nolint:protogetter // whether they are set
	if types := req.GetTypes(); len(types) > 0 || req.GetAllTypes() {
		if req.GetAllTypes() {
			types = []string{}
		}
		change.Types = &types
	}
	return rpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*eventsv1.Webhook, error) {
		return webhookMessage(h.webhooks.UpdateTx(ctx, tx, id, change))
	})
}

// DeleteWebhook implements WebhooksService.
func (h *WebhooksHandler) DeleteWebhook(ctx context.Context, req *eventsv1.DeleteWebhookRequest) (*emptypb.Empty, error) {
	id, err := parseID("id", req.GetId())
	if err != nil {
		return nil, err
	}
	return rpc.Mutate(ctx, h.db, req, func(ctx context.Context, tx *postgres.Tx) (*emptypb.Empty, error) {
		return &emptypb.Empty{}, h.webhooks.DeleteTx(ctx, tx, id)
	})
}

// RotateWebhookSecret implements WebhooksService.
func (h *WebhooksHandler) RotateWebhookSecret(ctx context.Context, req *eventsv1.RotateWebhookSecretRequest) (*eventsv1.WebhookSecret, error) {
	id, err := parseID("id", req.GetId())
	if err != nil {
		return nil, err
	}
	return h.tellOnce(ctx, req, func(ctx context.Context, tx *postgres.Tx) (events.Webhook, string, error) {
		return h.webhooks.RotateTx(ctx, tx, id)
	})
}

// deliveryKey is the last delivery of a page.
type deliveryKey struct {
	At time.Time `json:"t"`
	ID uuid.UUID `json:"i"`
}

// ListWebhookDeliveries implements WebhooksService.
func (h *WebhooksHandler) ListWebhookDeliveries(ctx context.Context, req *eventsv1.ListWebhookDeliveriesRequest) (*eventsv1.ListWebhookDeliveriesResponse, error) {
	id, err := parseID("id", req.GetId())
	if err != nil {
		return nil, err
	}
	limit := defaultPage
	if size := int(req.GetPageSize()); size > 0 {
		limit = min(size, maxPage)
	}
	scope := "webhook deliveries of " + id.String()
	var last deliveryKey
	if err := page.Decode(req.GetPageToken(), scope, &last); err != nil {
		return nil, err
	}
	found, err := h.webhooks.Deliveries(ctx, rpc.Actor(ctx), id, last.At, last.ID, limit+1)
	if err != nil {
		return nil, err
	}
	resp := &eventsv1.ListWebhookDeliveriesResponse{}
	if len(found) > limit {
		found = found[:limit]
		resp.NextPageToken = page.Encode(scope, deliveryKey{At: found[limit-1].CreatedAt, ID: found[limit-1].ID})
	}
	for _, d := range found {
		resp.Deliveries = append(resp.Deliveries, deliveryMessage(d))
	}
	return resp, nil
}

func webhookMessage(w events.Webhook, err error) (*eventsv1.Webhook, error) {
	if err != nil {
		return nil, err
	}
	return &eventsv1.Webhook{
		Id: w.ID.String(), CourseId: w.CourseID, Url: w.URL, Types: w.Types, Description: w.Description, Enabled: w.Enabled,
		DisabledReason: w.DisabledReason, FailingSince: timestamp(w.FailingSince), CreatedAt: timestamp(w.CreatedAt), UpdatedAt: timestamp(w.UpdatedAt),
	}, nil
}

var deliveryStatus = map[string]eventsv1.WebhookDeliveryStatus{
	"pending":   eventsv1.WebhookDeliveryStatus_WEBHOOK_DELIVERY_STATUS_PENDING,
	"delivered": eventsv1.WebhookDeliveryStatus_WEBHOOK_DELIVERY_STATUS_DELIVERED,
	"failed":    eventsv1.WebhookDeliveryStatus_WEBHOOK_DELIVERY_STATUS_FAILED,
}

func deliveryMessage(d events.Delivery) *eventsv1.WebhookDelivery {
	m := &eventsv1.WebhookDelivery{
		Id: d.ID.String(), EventId: d.EventID.String(), EventType: d.EventType, Status: deliveryStatus[d.Status],
		Attempts: int32(d.Attempts), LastCode: int32(d.LastCode), LastError: d.LastError, DurationMs: int32(d.Duration.Milliseconds()),
		CreatedAt: timestamp(d.CreatedAt), DeliveredAt: timestamp(d.DeliveredAt),
	}
	if d.Status == "pending" {
		m.NextTryAt = timestamp(d.NextTryAt)
	}
	return m
}

func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
