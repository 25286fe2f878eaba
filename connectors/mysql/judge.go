package mysql

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"

	"sidecard/connectors/reach"
)

// greeted looks at the first packet of the server.
func (l *line) greeted() error {
	if l.body > maxGreeting {
		return errProtocol
	}
	greeting, err := l.beginning(maxGreeting)
	if err != nil {
		return err
	}
	l.await = (*line).challenged
	if greeting[0] == packetError {
		return soundError(greeting)
	}
	version, rest, ok := bytes.Cut(greeting[1:], []byte{0})
	const beforeFlags = 4 + 8 + 1 // the connection's id, the first part of the challenge, a filler
	// After the flags: character set, status, more flags, length of the challenge, reserved, the rest of the challenge.
	const shortest = beforeFlags + 2 + 1 + 2 + 2 + 1 + 10 + 13
	if greeting[0] != protocolVersion || !ok || len(rest) < shortest {
		return errProtocol
	}
	l.version = string(version)
	if l.secure != nil && binary.LittleEndian.Uint16(rest[beforeFlags:])&capSSL == 0 {
		return reach.ErrNoTLS
	}
	return nil
}

// challenged looks at a packet of the sign-in.
func (l *line) challenged() error {
	l.await = (*line).challenged
	if l.body > maxGreeting {
		return errProtocol
	}
	packet, err := l.beginning(maxGreeting)
	if err != nil {
		return err
	}
	switch packet[0] {
	case packetOK:
		return soundOK(packet)
	case packetError:
		return soundError(packet)
	case packetSwitch:
		method, challenge, _ := bytes.Cut(packet[1:], []byte{0})
		if string(method) == "mysql_native_password" && len(bytes.TrimSuffix(challenge, []byte{0})) < 20 {
			return errProtocol
		}
	case packetMore:
		if block, _ := pem.Decode(packet[1:]); block != nil {
			key, err := x509.ParsePKIXPublicKey(block.Bytes)
			if _, ok := key.(*rsa.PublicKey); err != nil || !ok {
				return errProtocol
			}
		}
	}
	return nil
}

// soundError demands of an error what the driver reads of it without looking.
func soundError(packet []byte) error {
	if len(packet) < 4 || packet[3] == '#' && len(packet) < 9 {
		return errProtocol
	}
	return nil
}

// soundOK does the same for a success, and demands that it be the only one.
func soundOK(packet []byte) error {
	_, n, ok := lengthEncoded(packet[1:])
	if !ok {
		return errProtocol
	}
	_, m, ok := lengthEncoded(packet[1+n:])
	if flags := 1 + n + m; !ok || len(packet) < flags+2 || binary.LittleEndian.Uint16(packet[flags:])&moreResults != 0 {
		return errProtocol
	}
	return nil
}

// answered looks at the first packet that answers a question.
func (l *line) answered() error {
	answer, err := l.beginning(32)
	if err != nil {
		return err
	}
	switch answer[0] {
	case packetError:
		return soundError(answer)
	case packetFile:
		return errFile
	case packetOK:
		return soundOK(answer)
	}
	if columns, _, ok := lengthEncoded(answer); !ok || columns > maxColumns {
		return errProtocol
	}
	return nil
}

// lengthEncoded reads a length-encoded integer and says how many bytes it has.
func lengthEncoded(b []byte) (v uint64, size int, ok bool) {
	if len(b) == 0 {
		return 0, 0, false
	}
	sizes := map[byte]int{0xfc: 2, 0xfd: 3, 0xfe: 8}
	more, long := sizes[b[0]]
	switch {
	case !long:
		return uint64(b[0]), 1, b[0] < 0xfb
	case len(b) < 1+more:
		return 0, 0, false
	}
	var whole [8]byte
	copy(whole[:], b[1:1+more])
	return binary.LittleEndian.Uint64(whole[:]), 1 + more, true
}
