package hub

import "slices"

// Role is what a member may do in a tenant. Each may do what those below it may.
type Role string

// The roles.
const (
	RoleViewer Role = "viewer" // looks
	RoleMember Role = "member" // works with chats, card and lists
	RoleAdmin  Role = "admin"  // sets up desk, connections, team and tokens
	RoleOwner  Role = "owner"  // may delete the tenant, and make owners
)

// roles are all of them, the least first.
var roles = []Role{RoleViewer, RoleMember, RoleAdmin, RoleOwner}

// Known reports whether there is such a role.
func (r Role) Known() bool { return slices.Contains(roles, r) }

// AtLeast reports whether r may do what other may. An unknown role may nothing and is granted by nothing.
func (r Role) AtLeast(other Role) bool {
	return r.Known() && other.Known() && slices.Index(roles, r) >= slices.Index(roles, other)
}

// Scope is one thing that an API token may do. The contract lists them.
type Scope string
