package vectors

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// folder holds the vectors of the repository; a copy elsewhere says where they are in RVH_VECTORS.
func folder() string {
	if at := os.Getenv("RVH_VECTORS"); at != "" {
		return at
	}
	return filepath.Join("..", "..", "..", "..", "..", "tests", "golden", "vectors")
}

func TestEveryRow(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(folder(), "*.json"))
	if err != nil || len(files) < 15 {
		t.Fatalf("%d files in %s: set RVH_VECTORS to the folder tests/golden/vectors", len(files), folder())
	}
	for _, name := range files {
		if filepath.Base(name) == "schema.json" {
			continue
		}
		name := name
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			file, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			if _, err := Check(file); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAWrongRowIsTold(t *testing.T) {
	for say, file := range map[string]string{
		"ranking: the row says [0,1], and the port [1,0]": `{"cases": [{"kind": "ranking", "name": "n",
			"set": {"scheme": "murmur", "nodes": [{"str": "a"}, {"str": "b"}]},
			"rows": [{"key": {"int": "7"}, "scores": ["1592479430503091736", "10439256078710148386"], "ranking": [0, 1]}]}]}`,
		"no kind":               `{"cases": [{"kind": "other", "name": "n", "rows": [{}]}]}`,
		"key_hex: the row says": `{"cases": [{"kind": "value", "name": "n", "rows": [{"value": {"str": "a"}}]}]}`,
	} {
		if _, err := Check(strings.NewReader(file)); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%q is not in %v", say, err)
		}
	}
}
