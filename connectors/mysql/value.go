package mysql

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"sidecard/connectors"
)

const (
	maxValue = 4 << 10  // bytes of one value
	maxRow   = 64 << 10 // bytes of all values of a record
)

// shape is how a type is asked for and shown.
type shape int

const (
	asOther  shape = iota // of a type that is none of these: cast to text on the server
	asText                // made of characters
	asWord                // short: enumerations, times of day, years
	asNumber              //
	asFlag                // tinyint(1), which is what bool is: a truth unless it is neither 0 nor 1
	asBit                 // bit(1): a truth
	asBits                // bit(2) and more: a number
	asDate                // 0000-00-00 is no date
	asClock               // datetime: without a zone, a text, since nobody knows which moment it is
	asMoment              // timestamp: the session's zone is UTC
	asList                // set
	asJSON                //
	asAlias               // MariaDB's json is an alias of longtext with this collation: JSON where it is an object or a list
	asBytes               // only the length is asked for
)

var shapes = map[string]shape{
	"tinyint": asNumber, "smallint": asNumber, "mediumint": asNumber, "int": asNumber, "bigint": asNumber,
	"decimal": asNumber, "float": asNumber, "double": asNumber, "bit": asBits,
	"char": asText, "varchar": asText, "tinytext": asText, "text": asText, "mediumtext": asText, "longtext": asText,
	"enum": asWord, "set": asList, "json": asJSON,
	"date": asDate, "datetime": asClock, "timestamp": asMoment, "time": asWord, "year": asWord,
	"binary": asBytes, "varbinary": asBytes, "tinyblob": asBytes, "blob": asBytes, "mediumblob": asBytes, "longblob": asBytes,
	"geometry": asBytes, "point": asBytes, "linestring": asBytes, "polygon": asBytes, "multipoint": asBytes,
	"multilinestring": asBytes, "multipolygon": asBytes, "geometrycollection": asBytes, "geomcollection": asBytes, "vector": asBytes,
}

// shapeOf reads a type as information_schema.COLUMNS has it: DATA_TYPE, COLUMN_TYPE and COLLATION_NAME.
func shapeOf(typ, full, collation string) shape {
	switch {
	case strings.HasPrefix(full, "tinyint(1)"):
		return asFlag
	case full == "bit(1)":
		return asBit
	case typ == "longtext" && collation == "utf8mb4_bin":
		return asAlias
	}
	return shapes[typ]
}

func (s shape) kind() connectors.Kind {
	switch s {
	case asNumber, asBits:
		return connectors.Number
	case asFlag, asBit:
		return connectors.Bool
	case asDate:
		return connectors.Date
	case asMoment:
		return connectors.DateTime
	case asList:
		return connectors.List
	case asJSON, asAlias:
		return connectors.JSON
	default:
		return connectors.Text
	}
}

// expression asks for the column so that value can read it, and for no more of it than needed.
func (c column) expression() string {
	name := quote(c.name)
	most := strconv.Itoa(maxValue + 1) // one more, so that the cut is noticed
	switch c.shape {
	case asText, asAlias:
		return "LEFT(" + name + ", " + most + ")"
	case asJSON, asOther:
		return "LEFT(CAST(" + name + " AS CHAR), " + most + ")"
	case asBytes:
		return "LENGTH(" + name + ")"
	default:
		return name
	}
}

// recordOf reads the values of one row, in the order of the columns.
func recordOf(row []driver.Value, columns []column) (connectors.Record, error) {
	if len(row) != len(columns) {
		return nil, errShape
	}
	record := make(connectors.Record, len(columns))
	left := maxRow
	for i, c := range columns {
		v := c.shape.value(row[i])
		if len(v.Text) > min(left, maxValue) {
			v = connectors.Value{Kind: connectors.Text, Text: cut(v.Text, min(left, maxValue))}
		}
		left -= min(left, len(v.Text))
		record[c.name] = v
	}
	return record, nil
}

// value reads what the driver gives for a value of the shape.
func (s shape) value(raw driver.Value) connectors.Value {
	if raw == nil {
		return connectors.Value{Kind: connectors.Null}
	}
	if b, ok := raw.([]byte); ok && (s == asBit || s == asBits) {
		return s.bits(b)
	}
	text := textOf(raw)
	switch s {
	case asBytes:
		return connectors.Value{Kind: connectors.Text, Text: "(binary, " + text + " bytes)"}
	case asNumber, asFlag:
		return s.number(text)
	case asDate, asClock, asMoment:
		return s.time(text)
	case asList:
		return connectors.Value{Kind: connectors.List, Text: strings.ReplaceAll(text, ",", ", ")}
	case asJSON, asAlias:
		if inner := bytes.TrimSpace([]byte(text)); len(inner) > 0 && len(text) <= maxValue && json.Valid(inner) {
			return s.json(inner)
		}
	}
	return connectors.Value{Kind: connectors.Text, Text: text}
}

// textOf writes a value as the server would, in sound UTF-8 without zero bytes.
func textOf(raw driver.Value) string {
	switch v := raw.(type) {
	case []byte:
		return strings.ReplaceAll(strings.ToValidUTF8(string(v), "\ufffd"), "\x00", "\ufffd")
	case int64:
		return strconv.FormatInt(v, 10)
	case float32:
		return strconv.FormatFloat(float64(v), 'f', -1, 32)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return ""
	}
}

var numberForm = regexp.MustCompile(`^(-?)0*([0-9]+(?:\.[0-9]+)?)$`)

func (s shape) number(text string) connectors.Value {
	if s == asFlag && (text == "0" || text == "1") {
		return connectors.Value{Kind: connectors.Bool, Text: strconv.FormatBool(text == "1")}
	}
	if parts := numberForm.FindStringSubmatch(text); parts != nil { // zerofill columns have zeros in front
		return connectors.Value{Kind: connectors.Number, Text: parts[1] + parts[2]}
	}
	return connectors.Value{Kind: connectors.Text, Text: text}
}

// bits reads a bit field, which comes as bytes with the highest first.
func (s shape) bits(b []byte) connectors.Value {
	var n uint64
	for _, one := range b[:min(len(b), 8)] {
		n = n<<8 | uint64(one)
	}
	if s == asBit {
		return connectors.Value{Kind: connectors.Bool, Text: strconv.FormatBool(n == 1)}
	}
	return connectors.Value{Kind: connectors.Number, Text: strconv.FormatUint(n, 10)}
}

// time reads a date or a moment. All zeros are what older programs store for none.
func (s shape) time(text string) connectors.Value {
	if strings.Trim(text, "0-: .") == "" {
		return connectors.Value{Kind: connectors.Null}
	}
	if s == asDate {
		if _, err := time.Parse(time.DateOnly, text); err == nil {
			return connectors.Value{Kind: connectors.Date, Text: text}
		}
	}
	if s == asMoment {
		if at, err := time.Parse("2006-01-02 15:04:05.999999", text); err == nil {
			return connectors.Value{Kind: connectors.DateTime, Text: at.Format(time.RFC3339Nano)}
		}
	}
	return connectors.Value{Kind: connectors.Text, Text: text}
}

// json reads a whole JSON document. What is a plain value in a JSON column is shown as one.
func (s shape) json(raw []byte) connectors.Value {
	switch first := raw[0]; {
	case first == '{', first == '[':
		var b bytes.Buffer
		if json.Compact(&b, raw) == nil {
			return connectors.Value{Kind: connectors.JSON, Text: b.String()}
		}
	case s == asAlias:
	case first == '"':
		var text string
		if json.Unmarshal(raw, &text) == nil {
			return connectors.Value{Kind: connectors.Text, Text: strings.ReplaceAll(text, "\x00", "\ufffd")}
		}
	case string(raw) == "null":
		return connectors.Value{Kind: connectors.Null}
	case first == 't', first == 'f':
		return connectors.Value{Kind: connectors.Bool, Text: string(raw)}
	default:
		return asNumber.number(string(raw))
	}
	return connectors.Value{Kind: connectors.Text, Text: string(raw)}
}

// cut shortens a text to so many bytes, the ellipsis included, without breaking a character.
func cut(text string, most int) string {
	const ellipsis = "…"
	end := max(most-len(ellipsis), 0)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}
