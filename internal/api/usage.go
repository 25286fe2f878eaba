package api

import (
	"context"

	openapi "github.com/oapi-codegen/runtime/types"

	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

// GetUsage implements contract.StrictServerInterface.
func (o operations) GetUsage(ctx context.Context, _ contract.GetUsageRequestObject) (contract.GetUsageResponseObject, error) {
	ctx, actor := member(ctx)
	u, err := o.hub.Usage(ctx, actor)
	if err != nil {
		return nil, err
	}
	return contract.GetUsage200JSONResponse{
		Plan: u.Plan, ResetsAt: u.ResetsAt,
		ChatsToday: presentUsed(u.ChatsToday), Connections: presentUsed(u.Connections), CsvRows: presentUsed(u.CSVRows),
		Members: presentUsed(u.Members), ApiTokens: presentUsed(u.APITokens),
		Days: each(u.Days, presentUsageDay),
	}, nil
}

func presentUsed(u hub.Used) contract.Used { return contract.Used{Used: u.Used, Limit: some(u.Limit)} }

func presentUsageDay(d hub.DayUsage) contract.UsageDay {
	return contract.UsageDay{Day: openapi.Date{Time: d.Day}, Chats: d.Chats, OverQuota: d.OverQuota}
}
