package mysql

import (
	"sidecard/connectors"
	"sidecard/connectors/reach"
)

// NewWithFewPools is New with another bound on how many sources may keep connections.
func NewWithFewPools(most int) connectors.Connector {
	return connector{pools: reach.NewKeeper(most, reach.IdleTime)}
}
