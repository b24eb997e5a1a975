# What the compiled module sees of the C libraries: blake2_simd.h and rvh_kernels.h.

from libc.stddef cimport ptrdiff_t
from libc.stdint cimport int32_t, int64_t, intptr_t, uint8_t, uint32_t, uint64_t

cdef extern from "blake2_simd.h" nogil:
    const int BLAKE2_SIMD_ISA_MAX
    ctypedef struct blake2_simd:
        pass
    ctypedef struct blake2_simd_bytes:
        const uint8_t *data
        size_t size
    size_t blake2_simd_available(const blake2_simd **list)
    const blake2_simd *blake2_simd_active()
    const char *blake2_simd_name(const blake2_simd *impl)

cdef extern from "rvh_kernels.h" nogil:
    ctypedef enum rvh_status:
        RVH_OK
        RVH_NO_MEMORY
        RVH_STOPPED
        RVH_BAD_KEY
        RVH_EMPTY_ID
        RVH_DUPLICATE_ID
    ctypedef enum rvh_layout:
        RVH_PADDED
        RVH_FIXED
        RVH_UCS4
        RVH_INTEGERS
        RVH_OFFSETS
        RVH_VIEWS
    ctypedef struct rvh_column:
        rvh_layout layout
        const uint8_t *data
        ptrdiff_t stride
        size_t itemsize
        int swapped
        int is_signed
        const void *offsets
        size_t offset_size
        const uint64_t *buffers
        const uint64_t *sizes
        size_t buffer_count
        const int64_t *rows
    ctypedef enum rvh_fault:
        RVH_SOUND
    const int RVH_KEYS
    const int RVH_TEXTS
    const int RVH_INTEGERS_FIELD
    const int RVH_DATA
    const int RVH_ENDS
    const int RVH_K
    const int RVH_WITH_IDS
    const int RVH_KNOWN
    const int RVH_PINNED
    ctypedef struct rvh_field:
        size_t pieces
        size_t count
        size_t at
        size_t size
        uint64_t value
    ctypedef struct rvh_request:
        rvh_field fields[10]
        rvh_fault fault
        uint32_t field
        size_t at
        uint64_t value
    rvh_fault rvh_scan_protobuf(const uint8_t *message, size_t size, int one,
                                rvh_request *request)
    rvh_fault rvh_scan_flatbuffer(const uint8_t *message, size_t size, rvh_request *request)
    void rvh_fill_views(const uint8_t *message, size_t size, uint32_t number, uint8_t *views)
    void rvh_fill_packed(const uint8_t *message, size_t size, uint32_t number, uint8_t *out)
    ctypedef struct rvh_row_texts:
        int32_t *ends
        size_t end_count
        size_t passed
        size_t written
    int rvh_rows(const uint8_t *data, size_t size, uint8_t delimiter, int quoted, size_t columns,
                 size_t limit, uint8_t *out, rvh_row_texts *rows)
    enum:
        RVH_MEMBERS
    ctypedef struct rvh_members:
        size_t count
        blake2_simd_bytes names[256]
    int rvh_objects(const uint8_t *data, const intptr_t *ends, size_t lines, rvh_members *members)
    int rvh_values(const uint8_t *data, const intptr_t *ends, size_t lines, blake2_simd_bytes name,
                   int32_t *bounds)
    ctypedef enum rvh_framing:
        RVH_BARE
        RVH_SIZED
        RVH_SAME
    ctypedef struct rvh_part:
        rvh_column column
        rvh_framing framing
        size_t first
    ctypedef struct rvh_buffer:
        uint8_t *data
        size_t size
        size_t capacity
    ctypedef struct rvh_distinct:
        rvh_buffer bytes
        rvh_buffer offsets
        size_t count
    ctypedef struct rvh_poll:
        int (*stop)(void *context) noexcept nogil
        void *context
        size_t left
        int stopped
    ctypedef struct rvh_isa:
        pass
    ctypedef struct rvh_nodes:
        pass
    ctypedef enum rvh_scheme:
        RVH_BLAKE2B
        RVH_MURMUR
    const rvh_isa *rvh_isa_active()
    rvh_status rvh_nodes_new(rvh_nodes **nodes, rvh_scheme scheme, const uint8_t *data,
                             const uint64_t *offsets, size_t n, const double *weights,
                             const uint8_t *secret, size_t secret_size, rvh_poll *poll,
                             size_t *bad)
    void rvh_nodes_free(rvh_nodes *nodes)
    rvh_status rvh_ascending(const uint8_t *data, const uint64_t *offsets, size_t n, intptr_t *out,
                             rvh_poll *poll)
    rvh_status rvh_compose(const rvh_part *parts, size_t count, size_t n, rvh_buffer *out,
                           uint64_t *ends, rvh_poll *poll, size_t *bad)
    rvh_status rvh_distinct_add(rvh_distinct *distinct, const rvh_column *column, size_t first,
                                size_t n, uint32_t *codes, rvh_poll *poll, size_t *bad)
    void rvh_distinct_free(rvh_distinct *distinct)
    rvh_status rvh_argselect(const rvh_isa *isa, const rvh_nodes *nodes, const rvh_column *keys,
                             size_t start, size_t stop, size_t k, intptr_t *out, uint64_t *words,
                             rvh_poll *poll, size_t *bad)
    const int RVH_LEVELS_MAX
    ctypedef struct rvh_level:
        const uint32_t *domain
        size_t domains
        size_t limit
    ctypedef struct rvh_spread:
        rvh_level *levels
        size_t count
    rvh_status rvh_argselect_spread(const rvh_isa *isa, const rvh_nodes *nodes,
                                    const rvh_column *keys, size_t start, size_t stop, size_t k,
                                    const rvh_spread *spread, const intptr_t *current,
                                    size_t current_count, intptr_t *out, rvh_poll *poll,
                                    size_t *bad)
    ctypedef struct rvh_matching:
        pass
    ctypedef struct rvh_ties:
        const rvh_nodes *nodes
        const uint32_t *codes
        const uint8_t *data
        const uint64_t *offsets
    rvh_matching *rvh_matching_new(const rvh_isa *isa, const uint64_t *capacity, size_t nodes,
                                   const uint64_t *sizes, size_t rows, intptr_t *owner,
                                   const rvh_ties *ties)
    void rvh_matching_free(rvh_matching *matching)
    rvh_status rvh_matching_offer(rvh_matching *matching, const int64_t *rows, size_t count,
                                  size_t k, const uint64_t *lists, int64_t *free_rows,
                                  size_t *free_count, rvh_poll *poll)
    int rvh_matching_tied(const rvh_matching *matching)
    ctypedef struct rvh_cache:
        pass
    ctypedef struct rvh_cache_info:
        uint64_t hits
        uint64_t misses
        uint64_t evictions
        size_t entries
        size_t ghosts
        size_t bytes
        double target
    rvh_cache *rvh_cache_new(size_t max_entries, size_t max_bytes, int arc, const uint64_t *seed)
    void rvh_cache_free(rvh_cache *cache)
    uint64_t rvh_cache_clear(rvh_cache *cache)
    int rvh_cache_get_one(rvh_cache *cache, uint64_t epoch, blake2_simd_bytes key, size_t k,
                          int alone, intptr_t *out)
    void rvh_cache_put_one(rvh_cache *cache, uint64_t epoch, blake2_simd_bytes key, size_t k,
                           const intptr_t *chosen)
    rvh_status rvh_cache_get(rvh_cache *cache, uint64_t epoch, const rvh_column *keys,
                             size_t start, size_t stop, size_t k, intptr_t *out, int64_t *missing,
                             size_t *missing_count, rvh_poll *poll, size_t *bad)
    rvh_status rvh_cache_put(rvh_cache *cache, uint64_t epoch, const rvh_column *keys,
                             size_t start, size_t stop, size_t k, const intptr_t *chosen,
                             rvh_poll *poll, size_t *bad)
    void rvh_cache_figures(rvh_cache *cache, rvh_cache_info *info)
    ctypedef enum rvh_point_kind:
        RVH_POINT_COUNT
    const char *rvh_point_name(rvh_point_kind kind)
    uint64_t rvh_point(rvh_point_kind kind, blake2_simd_bytes key)
    ctypedef struct rvh_tag:
        uint8_t open
        uint8_t close
    blake2_simd_bytes rvh_tagged(rvh_tag tag, blake2_simd_bytes key)
    rvh_status rvh_points(const rvh_isa *isa, rvh_point_kind kind, rvh_tag tag,
                          const rvh_column *keys, size_t start, size_t stop, uint64_t *points,
                          rvh_poll *poll, size_t *bad)
    ctypedef enum rvh_chain_system:
        pass
    ctypedef struct rvh_chain:
        rvh_chain_system system
        uint32_t spread
        size_t count
        uint8_t parts[32]
    int rvh_chain_point(const rvh_chain *chain, blake2_simd_bytes key, uint64_t *point)
    rvh_status rvh_chain_points(const rvh_chain *chain, const rvh_column *keys, size_t start,
                                size_t stop, uint64_t *points, rvh_poll *poll, size_t *bad)
    ctypedef struct rvh_ring:
        pass
    rvh_status rvh_ring_new(rvh_ring **ring, rvh_point_kind kind, const uint64_t *points,
                            const uint32_t *owners, size_t count, rvh_poll *poll)
    void rvh_ring_free(rvh_ring *ring)
    void rvh_ring_set_tag(rvh_ring *ring, rvh_tag tag)
    rvh_status rvh_ring_lookup_one(const rvh_ring *ring, blake2_simd_bytes key, size_t k,
                                   intptr_t *out, rvh_poll *poll)
    size_t rvh_ring_cost(const rvh_ring *ring, size_t k)
    rvh_status rvh_ring_lookup(const rvh_isa *isa, const rvh_ring *ring, const rvh_column *keys,
                               size_t start, size_t stop, size_t k, intptr_t *out,
                               rvh_poll *poll, size_t *bad)
    rvh_status rvh_ring_nodes(const rvh_ring *ring, const uint64_t *points, size_t n, size_t k,
                              intptr_t *out, rvh_poll *poll)
    ctypedef struct rvh_prefixes:
        pass
    rvh_prefixes *rvh_prefixes_new(const uint8_t *data, const uint64_t *offsets, size_t n,
                                   uint32_t seed, int code_points)
    void rvh_prefixes_free(rvh_prefixes *prefixes)
    rvh_status rvh_prefixes_select(const rvh_prefixes *prefixes, const rvh_column *keys,
                                   size_t start, size_t stop, size_t k, intptr_t *out,
                                   rvh_poll *poll, size_t *bad)
    size_t rvh_score_words(const rvh_nodes *nodes)
    rvh_status rvh_scores(const rvh_isa *isa, const rvh_nodes *nodes, const rvh_column *keys,
                          size_t start, size_t stop, uint64_t *out, rvh_poll *poll, size_t *bad)
    rvh_status rvh_select_one(const rvh_isa *isa, const rvh_nodes *nodes, blake2_simd_bytes key,
                              size_t k, intptr_t *out, rvh_poll *poll)
    rvh_status rvh_rank_scores(const rvh_isa *isa, const rvh_nodes *nodes, const uint64_t *scores,
                               size_t rows, size_t k, intptr_t *out)
    ctypedef struct rvh_table:
        size_t partitions
        const uint32_t *owners
        size_t k
        const uint8_t *names
        size_t name_size
    size_t rvh_partition(size_t partitions, blake2_simd_bytes key)
    rvh_status rvh_lookup(const rvh_isa *isa, const rvh_table *table, const rvh_column *keys,
                          size_t start, size_t stop, void *out, rvh_poll *poll, size_t *bad)
    void rvh_neg_log(const rvh_isa *isa, const uint64_t *m, size_t n, double *out)
    rvh_status rvh_key_words(const rvh_isa *isa, const rvh_column *keys, size_t start, size_t stop,
                             uint64_t *out, rvh_poll *poll, size_t *bad)
    rvh_status rvh_jump(const rvh_isa *isa, const rvh_column *integers, size_t start, size_t stop,
                        uint32_t buckets, size_t k, intptr_t *out, rvh_poll *poll)
    rvh_status rvh_jumpback(const rvh_isa *isa, const rvh_column *integers, size_t start,
                            size_t stop, uint32_t buckets, intptr_t *out, rvh_poll *poll)
    rvh_status rvh_bare_spans(const rvh_column *column, size_t start, size_t stop,
                              uint64_t *bytes)
    uint64_t rvh_bare_hashes(const rvh_isa *isa, size_t words, size_t n)
