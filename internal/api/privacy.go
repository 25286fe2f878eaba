package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

// eraseTime is how long erasing a visitor may take.
const eraseTime = 15 * time.Minute

// EraseVisitor implements contract.StrictServerInterface.
func (o operations) EraseVisitor(ctx context.Context, r contract.EraseVisitorRequestObject) (contract.EraseVisitorResponseObject, error) {
	takeTime(ctx, eraseTime)
	ctx, actor := member(ctx)
	e, err := o.hub.EraseVisitor(ctx, actor, hub.VisitorRef{Email: given(r.Body.Email), VisitorID: given(r.Body.VisitorId)})
	if err != nil {
		return nil, err
	}
	return contract.EraseVisitor200JSONResponse{Chats: e.Chats, Unfinished: e.Unfinished, Rows: e.Rows}, nil
}

// takeTime lets an operation take longer than others before it answers.
func takeTime(ctx context.Context, d time.Duration) {
	connection := http.NewResponseController(ctx.(*gin.Context).Writer)
	_ = connection.SetReadDeadline(time.Now().Add(d)) // where there is no connection, there is no deadline
	_ = connection.SetWriteDeadline(time.Now().Add(d + writeTime))
}
