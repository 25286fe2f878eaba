package api

import (
	"context"

	"sidecard/connectors"
	"sidecard/internal/api/contract"
	"sidecard/internal/hub"
)

// ListConnectors implements contract.StrictServerInterface.
func (o operations) ListConnectors(context.Context, contract.ListConnectorsRequestObject) (contract.ListConnectorsResponseObject, error) {
	return contract.ListConnectors200JSONResponse{Connectors: each(o.hub.Kinds(), o.presentKind)}, nil
}

// ListConnections implements contract.StrictServerInterface.
func (o operations) ListConnections(ctx context.Context, _ contract.ListConnectionsRequestObject) (contract.ListConnectionsResponseObject, error) {
	ctx, actor := member(ctx)
	all, err := o.hub.ListConnections(ctx, actor)
	if err != nil {
		return nil, err
	}
	return contract.ListConnections200JSONResponse{Connections: each(all, presentConnection)}, nil
}

// CreateConnection implements contract.StrictServerInterface.
func (o operations) CreateConnection(ctx context.Context, r contract.CreateConnectionRequestObject) (contract.CreateConnectionResponseObject, error) {
	ctx, actor := member(ctx)
	v, err := o.hub.CreateConnection(ctx, actor, r.Body.Kind, r.Body.Name, r.Body.Settings)
	if err != nil {
		return nil, err
	}
	return contract.CreateConnection201JSONResponse(presentConnection(v)), nil
}

// GetConnection implements contract.StrictServerInterface.
func (o operations) GetConnection(ctx context.Context, r contract.GetConnectionRequestObject) (contract.GetConnectionResponseObject, error) {
	ctx, actor := member(ctx)
	v, err := o.hub.GetConnection(ctx, actor, r.ConnectionId)
	if err != nil {
		return nil, err
	}
	return contract.GetConnection200JSONResponse(presentConnection(v)), nil
}

// UpdateConnection implements contract.StrictServerInterface.
func (o operations) UpdateConnection(ctx context.Context, r contract.UpdateConnectionRequestObject) (contract.UpdateConnectionResponseObject, error) {
	ctx, actor := member(ctx)
	v, err := o.hub.UpdateConnection(ctx, actor, r.ConnectionId, r.Body.Name, given(r.Body.Settings))
	if err != nil {
		return nil, err
	}
	return contract.UpdateConnection200JSONResponse(presentConnection(v)), nil
}

// DeleteConnection implements contract.StrictServerInterface.
func (o operations) DeleteConnection(ctx context.Context, r contract.DeleteConnectionRequestObject) (contract.DeleteConnectionResponseObject, error) {
	ctx, actor := member(ctx)
	if err := o.hub.DeleteConnection(ctx, actor, r.ConnectionId); err != nil {
		return nil, err
	}
	return contract.DeleteConnection204Response{}, nil
}

// CheckConnection implements contract.StrictServerInterface.
func (o operations) CheckConnection(ctx context.Context, r contract.CheckConnectionRequestObject) (contract.CheckConnectionResponseObject, error) {
	ctx, actor := member(ctx)
	result, err := o.hub.CheckConnection(ctx, actor, r.ConnectionId)
	if err != nil {
		return nil, err
	}
	return contract.CheckConnection200JSONResponse(presentCheck(result)), nil
}

// ListFields implements contract.StrictServerInterface.
func (o operations) ListFields(ctx context.Context, r contract.ListFieldsRequestObject) (contract.ListFieldsResponseObject, error) {
	ctx, actor := member(ctx)
	fields, err := o.hub.Fields(ctx, actor, r.ConnectionId)
	if err != nil {
		return nil, err
	}
	return contract.ListFields200JSONResponse{Fields: each(fields, presentField)}, nil
}

// LookUp implements contract.StrictServerInterface.
func (o operations) LookUp(ctx context.Context, r contract.LookUpRequestObject) (contract.LookUpResponseObject, error) {
	ctx, actor := member(ctx)
	one, err := o.hub.LookUpOne(ctx, actor, r.ConnectionId, r.Body.Email)
	if err != nil {
		return nil, err
	}
	return contract.LookUp200JSONResponse{
		Match: contract.SourceMatch(one.Match), Matches: some(one.Matches), Ms: one.MS,
		Fields:  each(one.Fields, presentValue),
		Problem: presentSourceProblem(one.Problem),
	}, nil
}

// ImportFile implements contract.StrictServerInterface.
func (o operations) ImportFile(ctx context.Context, r contract.ImportFileRequestObject) (contract.ImportFileResponseObject, error) {
	ctx, actor := member(ctx)
	result, err := o.hub.ImportFile(ctx, actor, r.ConnectionId, given(r.Params.Filename), given(r.Params.EmailColumn), r.Body)
	if err != nil {
		return nil, r.Body.(*upload).refusal(err)
	}
	return contract.ImportFile200JSONResponse(presentImport(result)), nil
}

// BeginLogin implements contract.StrictServerInterface.
func (o operations) BeginLogin(ctx context.Context, r contract.BeginLoginRequestObject) (contract.BeginLoginResponseObject, error) {
	ctx, actor := member(ctx)
	to, err := o.hub.BeginLogin(ctx, actor, r.ConnectionId)
	if err != nil {
		return nil, err
	}
	return contract.BeginLogin200JSONResponse{AuthorizeUrl: to}, nil
}

// FinishLogin implements contract.StrictServerInterface.
func (o operations) FinishLogin(ctx context.Context, r contract.FinishLoginRequestObject) (contract.FinishLoginResponseObject, error) {
	ctx, actor := member(ctx)
	v, err := o.hub.FinishLogin(ctx, actor, hub.LoginReturn{State: r.Body.State, Code: given(r.Body.Code), Error: given(r.Body.Error)})
	if err != nil {
		return nil, err
	}
	return contract.FinishLogin200JSONResponse(presentConnection(v)), nil
}

// EndLogin implements contract.StrictServerInterface.
func (o operations) EndLogin(ctx context.Context, r contract.EndLoginRequestObject) (contract.EndLoginResponseObject, error) {
	ctx, actor := member(ctx)
	v, err := o.hub.EndLogin(ctx, actor, r.ConnectionId)
	if err != nil {
		return nil, err
	}
	return contract.EndLogin200JSONResponse(presentConnection(v)), nil
}

func (o operations) presentKind(s connectors.Spec) contract.Connector {
	c := contract.Connector{
		Kind: s.Kind, Name: s.Name, Summary: s.Summary, SettingsSchema: s.Settings, Guide: s.Guide, Imports: s.Imports,
	}
	if s.OAuth != nil {
		c.Oauth = &contract.ConnectorOAuth{Available: o.hub.CanConnect(s.Kind), Setting: s.OAuth.Setting, Value: s.OAuth.Value}
	}
	return c
}

func presentLogin(v hub.LoginView) *contract.Login {
	l := &contract.Login{State: contract.LoginState(v.State), Account: v.Account, Scopes: append([]string{}, v.Scopes...)}
	if !v.ConnectedAt.IsZero() {
		at := v.ConnectedAt.UTC()
		l.ConnectedAt = &at
	}
	return l
}

func presentConnection(v hub.ConnectionView) contract.Connection {
	c := contract.Connection{
		Id:         v.Connection.ID,
		Kind:       v.Connection.Kind,
		Name:       v.Connection.Name,
		Settings:   v.Connection.Settings,
		SecretsSet: append([]string{}, v.Connection.SecretNames...),
		Status:     contract.ConnectionStatus(v.Status),
		OnCard:     v.OnCard,
		CreatedAt:  v.Connection.CreatedAt.UTC(),
		UpdatedAt:  v.Connection.UpdatedAt.UTC(),
	}
	if v.Connection.Check != nil {
		check := presentCheck(*v.Connection.Check)
		c.LastCheck = &check
	}
	if v.Login != nil {
		c.Login = presentLogin(*v.Login)
	}
	if v.Connection.Import != nil {
		imported := presentImport(*v.Connection.Import)
		c.LastImport = &imported
	}
	return c
}

func presentCheck(r hub.CheckResult) contract.CheckReport {
	return contract.CheckReport{Ok: r.Report.OK(), At: r.At.UTC(), Steps: each(r.Report.Steps, presentStep)}
}

func presentStep(s connectors.Step) contract.CheckStep {
	step := contract.CheckStep{
		Name: s.Name, State: contract.CheckStepState(s.State), Detail: s.Detail, Advice: s.Advice, Script: some(s.Script),
	}
	if len(s.Suggest) > 0 {
		hints := each(s.Suggest, presentSuggestion)
		step.Suggest = &hints
	}
	return step
}

func presentSuggestion(s connectors.Suggestion) contract.Suggestion {
	return contract.Suggestion{Setting: s.Setting, Value: s.Value, Label: s.Label}
}

func presentImport(r hub.ImportResult) contract.ImportReport {
	return contract.ImportReport{
		At: r.At.UTC(), Filename: r.Filename,
		Columns: append([]string{}, r.Report.Columns...), EmailColumn: r.Report.EmailColumn,
		Encoding: r.Report.Encoding, Delimiter: r.Report.Delimiter,
		Rows: r.Report.Rows, Repeated: r.Report.Repeated, Rejected: r.Report.Rejected,
		Rejects: each(r.Report.Rejects, presentReject),
	}
}

func presentReject(r connectors.Reject) contract.RejectedRow {
	return contract.RejectedRow{Line: r.Line, Code: r.Code, Reason: r.Reason}
}

func presentField(f connectors.Field) contract.Field {
	return contract.Field{
		Id: f.ID, Label: f.Label, Kind: contract.FieldKind(f.Kind), Group: some(f.Group), Sample: some(f.Sample), Minor: some(f.Minor),
	}
}

func presentValue(v hub.FieldValue) contract.FieldValue {
	return contract.FieldValue{Id: v.ID, Kind: contract.FieldKind(v.Kind), Value: v.Value}
}

func presentSourceProblem(p *hub.SourceProblem) *contract.SourceProblem {
	if p == nil {
		return nil
	}
	return &contract.SourceProblem{Code: p.Code, Message: p.Message, Fix: p.Fix}
}
