"""How hive_jars.json came to be: Hive's own classes, in PySpark's jars, were asked by a program.

Version 1 is ObjectInspectorUtils.getBucketHashCode (hive-serde 2.3.10). That of Hive 3 is not among
the jars: version 2 is Hive's Murmur3.hash32 (hive-storage-api 2.8.1) of what Hive 3 gives to it.

pip install pyspark, a JDK of 17 or newer
python make_hive.py NEW_FILE
"""

from __future__ import annotations

import datetime
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pyspark

RNG = random.Random(19)
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-_ÄÖéß€中文😀"
ROWS = 40
KINDS = ["boolean", "tinyint", "smallint", "int", "bigint", "string", "date"]
CHAINS = [("int", "string"), ("bigint", "smallint", "date"), ("string", "boolean", "tinyint")]
NULL = "\\N"
PROGRAM = r"""
import java.io.*;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.hive.serde2.objectinspector.ObjectInspector;
import org.apache.hadoop.hive.serde2.objectinspector.ObjectInspectorUtils;
import org.apache.hadoop.hive.serde2.typeinfo.TypeInfoUtils;
import org.apache.hive.common.util.Murmur3;

public class Ask {
  static Object read(String kind, String text) {
    switch (kind) {
      case "boolean": return Boolean.valueOf(text);
      case "tinyint": return Byte.valueOf(text);
      case "smallint": return Short.valueOf(text);
      case "int": return Integer.valueOf(text);
      case "bigint": return Long.valueOf(text);
      case "date": return java.sql.Date.valueOf(text);
      default: return text;
    }
  }

  static int second(Object value) {
    ByteBuffer out = ByteBuffer.allocate(8);
    if (value == null) return 0;
    if (value instanceof Boolean) return (Boolean) value ? 1 : 0;
    if (value instanceof Byte) return (Byte) value;
    if (value instanceof String) {
      byte[] utf8 = ((String) value).getBytes(StandardCharsets.UTF_8);
      return Murmur3.hash32(utf8, utf8.length, 104729);
    }
    if (value instanceof Short) out.putShort((Short) value);
    else if (value instanceof Integer) out.putInt((Integer) value);
    else if (value instanceof Long) out.putLong((Long) value);
    else out.putInt((int) ((java.sql.Date) value).toLocalDate().toEpochDay());
    return Murmur3.hash32(out.array(), out.position(), 104729);
  }

  public static void main(String[] arguments) throws IOException {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
    for (String line; (line = in.readLine()) != null;) {
      String[] fields = line.split("\t", -1);
      int count = fields.length / 2, hash = 0;
      Object[] values = new Object[count];
      ObjectInspector[] inspectors = new ObjectInspector[count];
      for (int i = 0; i < count; i++) {
        String kind = fields[2 * i], text = fields[2 * i + 1];
        inspectors[i] = TypeInfoUtils.getStandardJavaObjectInspectorFromTypeInfo(
            TypeInfoUtils.getTypeInfoFromTypeString(kind));
        values[i] = text.equals("\\N") ? null : read(kind, text);
        hash = 31 * hash + second(values[i]);
      }
      System.out.println(ObjectInspectorUtils.getBucketHashCode(values, inspectors) + "\t" + hash);
    }
  }
}
"""


def some(kind: str) -> Any:
    bits = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}.get(kind)
    if bits is not None:
        return RNG.choice([RNG.randrange(-1 << bits - 1, 1 << bits - 1), RNG.randrange(-9, 9)])
    if kind == "string":
        return "".join(RNG.choices(LETTERS, k=RNG.randrange(12)))
    if kind == "boolean":
        return RNG.random() < 0.5
    return str(datetime.date(1970, 1, 1) + datetime.timedelta(RNG.randrange(-20_000, 40_000)))


def field(kind: str, value: Any) -> str:
    return (
        f"{kind}\t{NULL if value is None else str(value).lower() if kind == 'boolean' else value}"
    )


def main(path: str) -> None:
    cases: list[dict[str, Any]] = []
    for types in [*((kind,) for kind in KINDS), *CHAINS]:
        rows = [[None if RNG.random() < 0.1 else some(kind) for kind in types] for _ in range(ROWS)]
        cases.append({"types": types, "rows": rows})
    lines = [
        "\t".join(field(kind, value) for kind, value in zip(case["types"], row, strict=True))
        for case in cases
        for row in case["rows"]
    ]
    jars = ":".join(map(str, Path(pyspark.__file__).parent.glob("jars/*.jar")))
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "Ask.java")
        program.write_text(PROGRAM)
        done = subprocess.run(
            ["java", "-Duser.timezone=UTC", "-cp", jars, str(program)],
            input="".join(line + "\n" for line in lines),
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
    answers = [list(map(int, line.split())) for line in done.stdout.splitlines()]
    assert len(answers) == len(lines)
    for case in cases:
        case["answers"], answers = answers[:ROWS], answers[ROWS:]
    source = f"Hive's classes in pyspark {pyspark.__version__}, by make_hive.py: [version 1, 2]"
    with open(path, "x", encoding="ascii") as file:
        file.write(f'{{"source": {json.dumps(source)},\n"cases": [\n')
        file.write(",\n".join(map(json.dumps, cases)))
        file.write("\n]}\n")


if __name__ == "__main__":
    main(sys.argv[1])
