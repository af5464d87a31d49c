// SPDX-License-Identifier: MIT

// close_wait_wrong.go - Asks a server once a second. Each bad answer leaves a socket in CLOSE_WAIT.
package main

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"time"
)

func ask() error {
	conn, err := net.Dial("tcp", "127.0.0.1:8080")
	if err != nil {
		return err
	}
	fmt.Fprint(conn, "GET /health HTTP/1.0\r\n\r\n")
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.Contains(line, " 200 ") {
		return fmt.Errorf("not well: %q", line) // nobody will ever close conn
	}
	return conn.Close()
}

func main() {
	for {
		fmt.Println(ask())
		time.Sleep(time.Second)
	}
}
