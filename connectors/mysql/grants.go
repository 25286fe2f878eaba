package mysql

import (
	"slices"
	"strconv"
	"strings"
)

// rights are what a user may do that Sidecard does not need.
type rights struct {
	server bool // on the whole server, or to hand rights on
	writes int  // databases and tables in which the user may do more than read
}

// harmless are the rights of a user who only reads. REFERENCES does nothing by itself.
var harmless = map[string]bool{"SELECT": true, "USAGE": true, "SHOW VIEW": true, "SHOW DATABASES": true, "REFERENCES": true}

// weigh adds one line of SHOW GRANTS, such as
//
//	GRANT SELECT (`email`, `name`), INSERT ON `shop`.`people` TO `sidecard`@`%`
//
// A line without ON gives a role, whose own rights are lines of their own while it is in use.
func (r *rights) weigh(grant string) {
	given, isGrant := strings.CutPrefix(grant, "GRANT ")
	list, scope, hasScope := cutOutside(given, " ON ")
	if !isGrant || !hasScope {
		return
	}
	excess := false
	for list != "" {
		var one string
		one, list, _ = cutOutside(list, ",")
		name, _, _ := strings.Cut(one, "(")
		name = strings.ToUpper(strings.TrimSpace(name))
		excess = excess || !harmless[name]
		r.server = r.server || name == "PROXY"
	}
	switch {
	case strings.HasSuffix(scope, "WITH GRANT OPTION"), excess && strings.HasPrefix(scope, "*.*"):
		r.server = true
	case excess:
		r.writes++
	}
}

// excess says the worst of it.
func (r *rights) excess() string {
	switch {
	case r.server:
		return "is an administrator, or has rights on the whole server"
	case r.writes == 1:
		return "may do more than read in 1 database or table"
	case r.writes > 1:
		return "may do more than read in " + strconv.Itoa(r.writes) + " databases or tables"
	}
	return ""
}

const newUser = "'sidecard'@'%'"

// newUserScript makes a user with nothing but what is needed.
func (s *source) newUserScript() string {
	safe := ""
	if s.secure != nil {
		safe = " REQUIRE SSL"
	}
	return "CREATE USER " + newUser + " IDENTIFIED BY 'choose a long one'" + safe + " WITH MAX_USER_CONNECTIONS 10;\n" + s.choice.grant(newUser)
}

// grant lets a user read the table: the chosen columns and what it is searched by, or all of it.
func (c choice) grant(to string) string {
	list := ""
	if len(c.columns) > 0 {
		names := append([]string{c.email}, c.columns...)
		if c.orderBy != "" {
			names = append(names, c.orderBy)
		}
		var quoted []string
		for _, name := range names {
			if q := quote(name); name != "" && !slices.Contains(quoted, q) {
				quoted = append(quoted, q)
			}
		}
		list = " (" + strings.Join(quoted, ", ") + ")"
	}
	table := c.table
	if table == "" {
		table = "customers"
	}
	return "GRANT SELECT" + list + " ON " + quote(c.database) + "." + quote(table) + " TO " + to + ";"
}

// account writes what CURRENT_USER() gives, such as sidecard@%, as statements want it.
func account(current string) string {
	at := strings.LastIndexByte(current, '@')
	if at < 0 {
		return newUser
	}
	literal := func(s string) string {
		return "'" + strings.NewReplacer("'", "''", `\`, `\\`).Replace(s) + "'"
	}
	return literal(current[:at]) + "@" + literal(current[at+1:])
}

// cutOutside cuts at the first separator that is not in quotes or parentheses.
func cutOutside(s, separator string) (before, after string, found bool) {
	depth := 0
	var quoted byte
	for i := range len(s) {
		switch c := s[i]; {
		case quoted != 0:
			if c == quoted {
				quoted = 0
			}
		case depth == 0 && strings.HasPrefix(s[i:], separator):
			return s[:i], s[i+len(separator):], true
		case c == '`' || c == '\'' || c == '"':
			quoted = c
		case c == '(':
			depth++
		case c == ')':
			depth--
		}
	}
	return s, "", false
}
