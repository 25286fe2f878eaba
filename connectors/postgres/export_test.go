package postgres

import (
	"sidecard/connectors"
	"sidecard/connectors/reach"
)

// NewWithFewPools is New with another bound on how many sources may keep connections.
func NewWithFewPools(most int) connectors.Connector {
	return connector{reach.NewKeeper(most, reach.IdleTime)}
}
