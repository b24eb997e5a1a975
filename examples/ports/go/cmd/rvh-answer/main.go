// Rvh-answer reads cases of tests/golden/vectors from its standard input, one a line, and writes for each
// row a line with what the port answers. With files as arguments it checks those and counts their rows.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"example.com/rvh/internal/vectors"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "rvh-answer:", err)
		os.Exit(1)
	}
}

func run(files []string, in io.Reader, out io.Writer) error {
	for _, name := range files {
		if err := check(name, out); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if len(files) > 0 {
		return nil
	}
	buffered := bufio.NewWriter(out)
	defer buffered.Flush()
	questions, answers := json.NewDecoder(in), json.NewEncoder(buffered)
	for {
		var c vectors.Case
		if err := questions.Decode(&c); err == io.EOF {
			return buffered.Flush()
		} else if err != nil {
			return err
		}
		for i, row := range c.Rows {
			answer, err := c.Answer(row)
			if err != nil {
				return fmt.Errorf("case %q, row %d: %w", c.Name, i, err)
			}
			if err := answers.Encode(answer); err != nil {
				return err
			}
		}
	}
}

func check(name string, out io.Writer) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	rows, err := vectors.Check(file)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %d rows\n", name, rows)
	return err
}
