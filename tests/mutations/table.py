"""Faults that a fast path of the kernels can have: a text in a file, and what stands there then."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["SOURCE", "TABLE", "Mutation"]

SOURCE = Path(__file__).resolve().parents[2] / "src"


@dataclass(frozen=True)
class Mutation:
    """A fault, in a file under src that has the text once."""

    breaks: str
    file: str
    text: str
    instead: str

    @property
    def isa(self) -> str:
        """The instruction set that alone has the fault; empty where several have."""
        names = ("avx512", "avx2", "neon", "portable")
        return next((name for name in names if name in self.file), "")

    def applied(self, source: str) -> str:
        """The file's content with the fault."""
        if source.count(self.text) != 1:
            raise ValueError(f"{self.file} has the text {source.count(self.text)} times")
        return source.replace(self.text, self.instead)


def table(file: str, *rows: tuple[str, str, str]) -> list[Mutation]:
    return [Mutation(breaks, file, text, instead) for breaks, text, instead in rows]


TABLE = [
    *table(
        "blake2_simd/blake2_simd_tiles.c",
        (
            "long keys' words before them are what a longer id left",
            "  memset(shifted, 0, before * row);\n",
            "",
        ),
        (
            "long keys' last block ends in what stood there",
            "if (before + rows < total)",
            "if (before + rows > total)",
        ),
        (
            "long keys of every group are the first one's",
            "words_at(impl, block, s), rows,\n              8",
            "words_at(impl, block, 0), rows,\n              8",
        ),
        (
            "an empty key in no group has a block of its own behind an id of whole blocks",
            "if (block->any_empty) put_alone(impl, &of, block);",
            "",
        ),
        (
            "an empty key has the digest of the group's first id",
            "of->hi[at] = g->alone[2 * (skip + i)];",
            "of->hi[at] = g->alone[2 * i];",
        ),
        (
            "the last group alone can have empty keys",
            "block->any_empty |= any_empty;",
            "block->any_empty = any_empty;",
        ),
        (
            "the last block of the longest key is every key's",
            "final[b * stride + l] = b == last[l] ?",
            "final[b * stride + l] = b == blocks - 1 ?",
        ),
        (
            "a shorter key's digest is taken after the longest one's last block",
            "if (last[l] != b) continue;",
            "if (blocks - 1 != b) continue;",
        ),
        (
            "the last word of a last block is left out",
            "words_of(longest - b * BLOCK)",
            "words_of(longest - b * BLOCK - 1)",
        ),
        (
            "strips have the words of the last of them",
            "if (words > all->words) all->words = words;",
            "all->words = words;",
        ),
        (
            "a strip goes on behind messages of several blocks",
            "      open = NULL;\n      continue;",
            "      continue;",
        ),
        (
            "more strips than there is room for",
            "if (all->n == STRIPS) run_strips(impl, all);",
            "if (all->n > STRIPS + 4) run_strips(impl, all);",
        ),
        (
            "later groups of a tile begin at the group's first id",
            "skip = of->skip, at = s *",
            "skip = 0, at = s *",
        ),
        (
            "a group of keys without a row of zeros behind it",
            ".rows = words_of(longest) + 1,",
            ".rows = words_of(longest),",
        ),
    ),
    *table(
        "blake2_simd/blake2_simd_rows.c",
        (
            "an empty key behind an id of whole blocks has a block of its own, in rows",
            "const uint64_t *alone = suffix.size == 0 ? g->alone : NULL;",
            "const uint64_t *alone = NULL;",
        ),
        (
            "a row over ids of several lengths has the words of the first",
            "rows = words_of(end->tail + suffix_size);",
            "rows = words_of(g->tail + suffix_size);",
        ),
        (
            "a row over ids of several lengths moves the key as for the first",
            "if (g != made) {",
            "if (made == NULL) {",
        ),
        (
            "ids of a block and more have the state of those without, in rows",
            "return g->h_stride == 0 && g->tail",
            "return g->tail",
        ),
        (
            "a shift by 0 bits carries a whole word",
            "carry = bits == 0 ? 0 : words[w] >> (64 - bits);",
            "carry = words[w] >> (64 - bits) % 64;",
        ),
    ),
    *table(
        "blake2_simd/blake2_simd_shapes.h",
        (
            "the words of a block are those of the keys alone",
            "const size_t words = words_of(g->tail + suffix_size);",
            "const size_t words = words_of(suffix_size);",
        ),
    ),
    *table(
        "blake2_simd/blake2_simd_impl.h",
        (
            "a key's last bytes are not shifted to their place",
            ">> (64 - 8 * more)",
            ">> (56 - 8 * more)",
        ),
    ),
    *table(
        "blake2_simd/blake2_simd_load_avx512.h",
        (
            "a masked load reads a byte more than the key has",
            ">> (64 - min_size(left, 64))",
            ">> (64 - min_size(left + 1, 64))",
        ),
        (
            "keys of more than 8 words repeat the first ones",
            "suffix[first + i] : none, w);",
            "suffix[first + i] : none, 0);",
        ),
        (
            "the seventeenth key is there if the sixteenth is",
            "n > WHOLE ? suffix[WHOLE]",
            "n >= WHOLE ? suffix[WHOLE]",
        ),
        (
            "spare lanes have what the last group had",
            "first + i < n ? suffix[first + i] : none",
            "first + i < n ? suffix[first + i] : suffix[0]",
        ),
    ),
    *table(
        "blake2_simd/blake2_simd_lanes.h",
        (
            "a shift by 0 bits carries a whole word",
            "V_SHR(V_SHR(word, 1), 63 - bits)",
            "V_SHR(word, (64 - bits) % 64)",
        ),
        (
            "kernels of 6 words take messages of 7",
            "else if (words <= 6)",
            "else if (words <= 7)",
        ),
        (
            "the seventeenth message is not moved",
            "for (size_t l = 0; l < STRIDE; l += V_LANES) {\n    V carry",
            "for (size_t l = 0; l < WHOLE; l += V_LANES) {\n    V carry",
        ),
        (
            "the seventeenth message is as long as the first",
            "x12 = start[12] ^ t[WHOLE],",
            "x12 = start[12] ^ t[0],",
        ),
        (
            "the seventeenth message ends with the first one's blocks",
            "x14 = blake2_simd_iv[6] ^ final[WHOLE];",
            "x14 = blake2_simd_iv[6] ^ final[0];",
        ),
        (
            "the seventeenth message lacks its last word",
            "if ((i) < (W)) { ADD_AT_SCALAR(a,",
            "if ((i) + 1 < (W)) { ADD_AT_SCALAR(a,",
        ),
        (
            "the seventeenth message has no id",
            "const V joined = V_SET1(prefix[last]);\n  for (size_t l = 0; l < STRIDE;",
            "const V joined = V_SET1(prefix[last]);\n  for (size_t l = 0; l < WHOLE;",
        ),
        (
            "ids of the next length have the last one's keys",
            "put_suffixes(m, &c, strip, group, W);",
            "if (group == strip->group) put_suffixes(m, &c, strip, group, W);",
        ),
        (
            "ids of a block and more have the first one's state",
            "if (h != started) first_columns",
            "if (started == NULL) first_columns",
        ),
        (
            "columns of two words are done once",
            "if (2 * i < words) continue;",
            "if (2 * i + 2 < words) continue;",
        ),
        (
            "words behind keys are what longer ids left",
            "for (size_t w = last + rows; w < words; w++)",
            "for (size_t w = words; w < words; w++)",
        ),
        (
            "a strip goes on at the next group's place of the first",
            "left > 0; i = 0, group++)",
            "left > 0; i = strip->skip, group++)",
        ),
        (
            "low words of the second node stand in the first one's place",
            "            lo += STRIDE;",
            "            lo += 0 * STRIDE;",
        ),
    ),
    *table(
        "rvh_kernels/select.c",
        (
            "keys of one length share a row",
            "order[start[min_size(spans[i].size, SIZES - 1)]++] = (uint16_t)i;",
            "order[start[min_size(spans[i].size, SIZES - 1)]] = (uint16_t)i;",
        ),
        (
            "keys too long for a tile are in one",
            "w->spans[order[short_keys - 1]].size > BLAKE2_SIMD_SUFFIX_MAX",
            "w->spans[order[short_keys - 1]].size > 2 * BLAKE2_SIMD_SUFFIX_MAX",
        ),
        (
            "runs take no notice of constraints",
            "w->chosen != NULL && w->rules == NULL && n",
            "w->chosen != NULL && n",
        ),
        (
            "heaps need more memory than there is",
            "return rvh_topk_bytes(w->k, w->stride) > RVH_HEAP_BYTES ||",
            "return",
        ),
        (
            "answers begin at the column's first row",
            "one_batch(w, n, row - start)",
            "one_batch(w, n, row)",
        ),
    ),
    *table(
        "rvh_kernels/one_key.c",
        (
            "a row's second strip counts from 0, in memory",
            "rvh_topk_portable(&top, w->hi, first, count);",
            "rvh_topk_portable(&top, w->hi, 0, count);",
        ),
        (
            "a row's second strip counts from 0, of hashes",
            "isa->rank_mixed(&row, first, count, best, k);",
            "isa->rank_mixed(&row, 0, count, best, k);",
        ),
        (
            "a row's second strip counts from 0, of words",
            "isa->rank_row(&row, first, count, best, k);",
            "isa->rank_row(&row, 0, count, best, k);",
        ),
        (
            "nodes that agree in their high bits are ranked by position",
            "if ((best[j] ^ best[j + 1]) <= nodes->low) return RVH_OK;",
            "",
        ),
        (
            "the last of the best is not compared with the next",
            "for (size_t j = 0; j < k; j++) {\n    if ((best[j]",
            "for (size_t j = 0; j < k; j++) {\n    if (j + 1 < k && (best[j]",
        ),
        (
            "weights are skipped, of hashes",
            "const int mixed = nodes->scheme == RVH_MURMUR && nodes->weight == NULL;",
            "const int mixed = nodes->scheme == RVH_MURMUR;",
        ),
        (
            "one key of a batch takes no notice of constraints",
            "w->words == NULL && w->rules == NULL) {",
            "w->words == NULL) {",
        ),
    ),
    *table(
        "rvh_kernels/simd/one_lanes.h",
        (
            "what stands behind a row's end takes part",
            "if (count - i < V_LANES) word =",
            "if (count < i) word =",
        ),
        (
            "of a lane, only the best is looked at",
            "for (size_t j = 0; j <= k && j * V_LANES < count; j++) {",
            "for (size_t j = 0; j < 1; j++) {",
        ),
        (
            "positions of later vectors are the first one's",
            "position = V_ADD(position, V_SET1(V_LANES));",
            "position = V_ADD(position, V_SET1(0));",
        ),
        (
            "a word keeps bits that a position needs",
            "word = V_OR(V_AND(word, others), position);",
            "word = V_OR(word, position);",
        ),
    ),
    *table(
        "rvh_kernels/groups.c",
        (
            "a group's second strip counts from 0",
            "w->isa->topk(&g->top, tile->hi, tile->first, tile->count);",
            "w->isa->topk(&g->top, tile->hi, 0, tile->count);",
        ),
        (
            "all groups of a tile have the first one's words",
            "const size_t at = i * count * w->stride;",
            "const size_t at = 0 * i * count * w->stride;",
        ),
        (
            "all groups of a tile are the first one's rows",
            "start(w, after(batch, i * lanes), ranks",
            "start(w, after(batch, 0 * i * lanes), ranks",
        ),
        (
            "a group's second strip has the positions of the first",
            "rank_tile(tile->hi, tile->first, tile->count",
            "rank_tile(tile->hi, tile->first == 0 ? 0 : 1, tile->count",
        ),
        (
            "ranks that leave two nodes open are taken as they are",
            "if (unsure[l])",
            "if (unsure[l] && k > 16)",
        ),
        (
            "ranks answer where nodes are ruled out",
            "w->words == NULL && w->rules == NULL &&\n         w->k",
            "w->words == NULL &&\n         w->k",
        ),
        (
            "ranks answer where scores are asked for as well",
            "w->words == NULL && w->rules == NULL &&\n         w->k",
            "w->rules == NULL &&\n         w->k",
        ),
        (
            "a group more than a tile has room for",
            "min_size(RVH_STRIP / w->nodes->n, batch.n / lanes)",
            "min_size(RVH_STRIP / w->nodes->n + 1, batch.n / lanes)",
        ),
        (
            "spare lanes of hashed keys are the group's first",
            "groups->hash[l] = w->hashes[batch.order[min_size(l, n - 1)]];",
            "groups->hash[l] = w->hashes[batch.order[l == 1 ? 0 : min_size(l, n - 1)]];",
        ),
    ),
    *table(
        "rvh_kernels/runs.c",
        (
            "a batch's words begin at the first row",
            "memcpy(w->words + first_row, word, n * sizeof *word);",
            "memcpy(w->words, word, n * sizeof *word);",
        ),
    ),
    *table(
        "rvh_kernels/score.c",
        (
            "weights are skipped in small sets, in tiles",
            "if (nodes->weight == NULL) return;",
            "if (nodes->weight == NULL || nodes->n <= 8) return;",
        ),
        (
            "weights are skipped in small sets, in rows",
            "if (nodes->weight != NULL) isa->weigh_row(",
            "if (nodes->weight != NULL && nodes->n > 8) isa->weigh_row(",
        ),
        (
            "later groups of a tile have no weights",
            "isa->weigh_tile(hi + g * tile,",
            "isa->weigh_tile(hi + 0 * g * tile,",
        ),
    ),
    *table(
        "rvh_kernels/work.c",
        (
            "current nodes are marked in a bit that scores use",
            "hi[i] >>= 1;",
            "hi[i] >>= 0;",
        ),
        (
            "all keys of a group have the first one's current nodes",
            "w->rules->current + rows[l] * w->rules->current_count",
            "w->rules->current + rows[0] * w->rules->current_count",
        ),
        (
            "scores stand where the first strip's do",
            "const uint32_t *order = w->nodes->order + tile->first;",
            "const uint32_t *order = w->nodes->order;",
        ),
    ),
    *table(
        "rvh_kernels/nodes.c",
        (
            "the last of equal hashes is the best",
            "for (size_t i = of->n; i-- > 0;) {\n    if (weights != NULL &&",
            "for (size_t i = 0; i < of->n; i++) {\n    if (weights != NULL &&",
        ),
    ),
    *table(
        "rvh_kernels/column_hashes.c",
        (
            "padding is hashed",
            "const blake2_simd_bytes bytes = {p, rvh_without_padding(p, size)};",
            "const blake2_simd_bytes bytes = {p, size};",
        ),
        (
            "shorter keys are hashed with their padding, in vectors",
            "if (in_vectors && p[size - 1] != 0) continue;",
            "if (in_vectors) continue;",
        ),
        (
            "keys of other sizes are hashed as the first",
            "if (spans[i].size != spans[0].size ||",
            "if (",
        ),
        (
            "keys that stand anywhere are hashed as if evenly",
            "|| (uintptr_t)spans[i].data - first != i * step) return 0;",
            ") return 0;",
        ),
        (
            "keys shorter than a word are hashed in vectors",
            "&& size >= RVH_HASHED_SIZE_MIN &&",
            "&& size > 0 &&",
        ),
        (
            "every block of padded keys is the first",
            "column->data + (ptrdiff_t)(first + i) * column->stride",
            "column->data + (ptrdiff_t)first * column->stride",
        ),
    ),
    *table(
        "rvh_kernels/simd/hash_lanes.h",
        (
            "the last bytes of a key are left out, in vectors",
            "if (tail > 0) h =",
            "if (tail > 8) h =",
        ),
        (
            "the last bytes of a key are not shifted to their place, in vectors",
            "V_SHR(V_LOAD(last + i), 64 - 8 * tail)",
            "V_SHR(V_LOAD(last + i), 56 - 8 * tail)",
        ),
    ),
    *table(
        "rvh_kernels/best.c",
        (
            "a strip of one node",
            "if (count > NODES + 1) count = NODES;",
            "if (count > NODES) count = NODES;",
        ),
        (
            "the best of a step is its first node",
            "if (in_steps) isa->best_find(&run, nodes->n);",
            "",
        ),
        (
            "a set of one node has no words",
            "word[i] = rvh_murmur_pair(hash[i], nodes->hash[0]);",
            "word[i] = 0 * rvh_murmur_pair(hash[i], nodes->hash[0]);",
        ),
    ),
    *table(
        "rvh_kernels/simd/best_lanes.h",
        (
            "the last node of a group is left out",
            "begin, second, score);\n    take(&b, score, V_ADD(here, V_SET1(1)));",
            "begin, second, score);",
        ),
        (
            "the next group begins with this one's keys",
            "if (at + GROUP < run->keys) mix_keys(&m, VECTORS, hash + GROUP);",
            "if (at + GROUP < run->keys) mix_keys(&m, VECTORS, hash);",
        ),
        (
            "keys beside the vectors miss a node",
            "    take_beside(&b, hash, nodes[i + 1], i + 1);",
            "",
        ),
        (
            "keys beside the vectors have the last of equal scores",
            "cmovb %3, %1\\n\\tcmovb %2, %0",
            "cmovbe %3, %1\\n\\tcmovbe %2, %0",
        ),
        (
            "the last of equal scores is the best, in vectors",
            "V_SELECT(V_ORDERED_GT(ordered, b->score[u]), here, b->position[u]);",
            "V_SELECT(V_ORDERED_GT(b->score[u], ordered), b->position[u], here);",
        ),
        (
            "a step is counted as a node more",  # as one less, it would be looked up for longer
            "here = V_ADD(here, V_SET1(step))) {\n      V before",
            "here = V_ADD(here, V_SET1(step + 1))) {\n      V before",
        ),
        (
            "a strip counts from its second node",
            "V here = V_SET1(first);",
            "V here = V_SET1(first + 1);",
        ),
        (
            "the best of a step is looked for from its second node on",
            "size_t at = (size_t)(run->position[i] < last ? run->position[i] : last);",
            "size_t at = (size_t)(run->position[i] < last ? run->position[i] + 1 : last);",
        ),
    ),
    *table(
        "rvh_kernels/ranks.c",
        (
            "a strip of ranks may have one node",
            "n - first > NODES + 1 ? NODES",
            "n - first > NODES ? NODES",
        ),
        (
            "keys that are weighed side by side have another's hash",
            "hash[left] = r->hash[l];",
            "hash[left] = r->hash[left];",
        ),
        (
            "keys that are still unsure have the node that was weighed",
            "if (unsure[l]) status = rvh_one_key(w, (rvh_key){.hash = hash[l]}, row[l]);",
            "",
        ),
        (
            "keys of which ranks tie have their order",
            "if (unsure[l]) status = rvh_one_key(w, (rvh_key){.hash = r->hash[l]}, first_row + l);",
            "",
        ),
    ),
    *table(
        "rvh_kernels/simd/rank_lanes.h",
        (
            "a key's ranks are those of the last strip",
            "first == 0 ? V_SET1(RVH_RANK_NONE) : V_LOAD(rank + j * RVH_RANK_RUN + u * V_LANES)",
            "V_SET1(RVH_RANK_NONE)",
        ),
        (
            "the next keys come a node too late",
            "if (i + 2 == count) mix_keys",
            "if (i + 1 == count) mix_keys",
        ),
        (
            "a tile's ranks are those of the last strip",
            "first == 0 ? V_SET1(RVH_RANK_NONE) : V_LOAD(rank + j * STRIDE + l)",
            "V_SET1(RVH_RANK_NONE)",
        ),
        (
            "the last vector of a tile is not ranked",
            "for (size_t l = 0; l < STRIDE; l += V_LANES) {\n    numbering",
            "for (size_t l = 0; l + V_LANES < STRIDE; l += V_LANES) {\n    numbering",
        ),
        (
            "a tile's nodes have all the first one's position",
            "take_rank(kept, n, 1, &score, NULL, &number);\n      number.next = V_ADD(",
            "take_rank(kept, n, 1, &score, NULL, &number);\n      V_ADD(",
        ),
        (
            "the rank is not a bound of the weighted score",
            "D_SUB(D_MUL(x, x), ",
            "D_SUB(D_MUL(D_MUL(x, x), x), ",
        ),
    ),
    *table(
        "rvh_kernels/simd/settle_lanes.h",
        (
            "a tie with the first node that is left out is none",
            "for (size_t j = 0; j < k; j++) {\n      const uint64_t *pair",
            "for (size_t j = 0; j + 1 < k; j++) {\n      const uint64_t *pair",
        ),
        (
            "nodes stay in the order of their bounds",
            "V_GT(carry.hi, was.hi)",
            "V_GT(was.hi, was.hi)",
        ),
        (
            "nodes that were not weighed are none",
            "V_SELECT(sure, V_LOAD(unsure + l), one)",
            "V_LOAD(unsure + l)",
        ),
        (
            "the best bound is that of the best node",
            "V_SELECT(D_LT(above, below), V_SET1(0), V_SET1(1))",
            "V_SET1(0)",
        ),
        (
            "the upper bound lacks what comes after d^2",
            "D_ADD(part, D_MUL(y, y))",
            "part",
        ),
        (
            "the upper bound has a position for bits of a score",
            "D_OF_BITS(V_OR(V_LOAD(r->rank + l), V_SET1(low)))",
            "D_OF_BITS(V_LOAD(r->rank + l))",
        ),
    ),
    *table(
        "rvh_kernels/simd/murmur_lanes.h",
        (
            "the seventeenth lane has the first one's key",
            "out[WHOLE] = rvh_murmur_pair(keys[WHOLE], nodes[i]);",
            "out[WHOLE] = rvh_murmur_pair(keys[0], nodes[i]);",
        ),
        (
            "a row's last node is left out",
            "for (; i < count; i++) out[i] = rvh_murmur_pair(key, nodes[i]);",
            "for (; i + 1 < count; i++) out[i] = rvh_murmur_pair(key, nodes[i]);",
        ),
        (
            "passes are out of step: the second product is of the node before",
            "V_SET1(second)), k);",
            "V_SET1(first)), k);",
        ),
    ),
    *table(
        "rvh_kernels/simd/topk_lanes.h",
        (
            "a tie with the last slot is none",
            "for (size_t j = 1; j < k; j++) tied =",
            "for (size_t j = 1; j + 1 < k; j++) tied =",
        ),
        (
            "ties are not ties where slots are in use",
            "if (any_tie(&s, score, k)) {",
            "if (k > 16) {",
        ),
        (
            "ties are not ties where slots are to fill",
            "if (used > 0 && any_tie(&s, entering.hi, used)) {\n      insert_exactly",
            "if (used > 16) {\n      insert_exactly",
        ),
        (
            "ties are not ties in a merge",
            "if (used > 0 && any_tie(&s, entering.hi, used)) {\n        for",
            "if (used > 16) {\n        for",
        ),
        (
            "a node that ties with the worst is left out",
            "if (!V_ANY(V_MASK_OR(V_EQ(score, worst), V_GT(score, worst)))) continue;",
            "if (!V_ANY(V_GT(score, worst))) continue;",
        ),
        (
            "a node that ties with the seventeenth key's worst is left out",
            "if (hi[i * STRIDE + WHOLE] >= *worst)",
            "if (hi[i * STRIDE + WHOLE] > *worst)",
        ),
        (
            "the seventeenth key's first nodes are left out",
            "  if (SCALAR) rvh_topk_insert(top, WHOLE, hi[WHOLE], position);\n",
            "",
        ),
        (
            "the seventeenth key's nodes are left out of a merge",
            "    if (SCALAR) rvh_topk_insert(top, WHOLE, hi[WHOLE], (size_t)pos[WHOLE]);\n",
            "",
        ),
    ),
    *table(
        "rvh_kernels/topk.c",
        (
            "a node that ties with a heap's worst is left out",
            "candidate.hi >= heap[0].hi &&",
            "candidate.hi > heap[0].hi &&",
        ),
        (
            "low words do not decide",
            "if (score_a.lo != score_b.lo) return score_a.lo > score_b.lo;",
            "",
        ),
        (
            "of equal weighted scores the first position is the best",
            "if (score_a.hi != score_b.hi) return score_a.hi > score_b.hi;",
            "",
        ),
    ),
    *table(
        "rvh_kernels/simd/weigh_lanes.h",
        (
            "the seventeenth key has no weights",
            "if (SCALAR) weigh_apart(words + WHOLE,",
            "if (SCALAR && !SCALAR) weigh_apart(words + WHOLE,",
        ),
        (
            "a score whose low bits are 0 weighs something",
            "return V_SELECT(V_EQ(m, V_SET1(0)), V_SET1(0), bits);",
            "return bits;",
        ),
        (
            "a row's later vectors have the first one's weights",
            "w[l] = weight[i + l];",
            "w[l] = weight[l];",
        ),
    ),
]
