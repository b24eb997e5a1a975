"""Every public name says what it takes, gives and raises, and shows one example that runs."""

from __future__ import annotations

import doctest
import importlib
import importlib.resources
import inspect
import pkgutil
from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest
from folders import DOCS

import rvh

LAYOUTS = DOCS / "reference/ffi-layout.md"

#: what each has to have; "Parameters" where there is something to explain that is new
FUNCTION = ("Parameters", "Returns", "Raises", "Examples")
RULES: dict[str, tuple[str, ...]] = {
    "rvh.NodeSet": ("Parameters", "Raises", "Notes", "Examples"),
    "rvh.RVHError": (),
    "rvh.RVHTypeError": (),
    "rvh.backend": ("Examples",),
    "rvh.select_batch": FUNCTION,
    "rvh.argselect_batch": ("Returns", "Raises", "Examples"),
    "rvh.assign": ("Returns", "Raises", "Examples"),
    "rvh.argassign": ("Returns", "Raises", "Examples"),
    "rvh.select_arrow": FUNCTION,
    "rvh.NodeSet.select_arrow": FUNCTION,
    "rvh.score_batch": ("Returns", "Raises", "Examples"),
    "rvh.rendezvous_hash": ("Returns", "Raises", "Examples"),
    "rvh.arendezvous_hash": ("Examples",),
    "rvh.rendezvous_scores": ("Returns", "Raises", "Examples"),
    "rvh.cpu.active": ("Raises", "Examples"),
    "rvh.cpu.available": ("Returns", "Examples"),
    "rvh.multi.compose_keys": FUNCTION,
    "rvh.multi.select_multi": FUNCTION,
    "rvh.multi.select_columns": FUNCTION,
    "rvh.multi.score_columns": FUNCTION,
    "rvh.membership.Change": ("Parameters",),
    "rvh.membership.Change.joined": (),
    "rvh.membership.Change.left": (),
    "rvh.membership.Change.moved": (),
    "rvh.membership.Change.moved_of": ("Parameters", "Returns"),
    "rvh.membership.Change.others": (),
    "rvh.membership.Change.statuses": (),
    "rvh.membership.Change.told": ("Parameters",),
    "rvh.membership.Change.weights": (),
    "rvh.membership.Document": (),
    "rvh.membership.Membership": ("Parameters", "Raises", "Examples"),
    "rvh.membership.Membership.accept": ("Returns", "Raises"),
    "rvh.membership.Membership.age": (),
    "rvh.membership.Membership.assigner": ("Parameters", "Returns"),
    "rvh.membership.Membership.cache": (),
    "rvh.membership.Membership.changes": ("Examples",),
    "rvh.membership.Membership.close": (),
    "rvh.membership.Membership.held": (),
    "rvh.membership.Membership.name": (),
    "rvh.membership.Membership.nodes": (),
    "rvh.membership.Membership.snapshot": (),
    "rvh.membership.Membership.stats": (),
    "rvh.membership.Membership.subscribe": ("Parameters", "Returns"),
    "rvh.membership.Membership.table": ("Returns",),
    "rvh.membership.Moved": ("Parameters",),
    "rvh.membership.NodeMeta": ("Parameters", "Raises", "Examples"),
    "rvh.membership.NodeMeta.rule": (),
    "rvh.membership.Refused": ("Parameters",),
    "rvh.membership.Published": ("Parameters",),
    "rvh.membership.Publisher": ("Parameters", "Raises", "Examples"),
    "rvh.membership.Publisher.follow": ("Parameters",),
    "rvh.membership.Publisher.name": (),
    "rvh.membership.Publisher.publish": ("Parameters", "Returns", "Raises"),
    "rvh.membership.Publisher.settling": (),
    "rvh.membership.Publisher.target": (),
    "rvh.membership.Smoother": ("Parameters", "Raises", "Notes", "Examples"),
    "rvh.membership.Smoother.applied": (),
    "rvh.membership.Smoother.from_state": FUNCTION,
    "rvh.membership.Smoother.settling": (),
    "rvh.membership.Smoother.state": ("Examples",),
    "rvh.membership.Smoother.threshold": (),
    "rvh.membership.Smoother.update": FUNCTION,
    "rvh.membership.Snapshot": ("Examples",),
    "rvh.membership.Snapshot.age": (),
    "rvh.membership.Snapshot.digest": (),
    "rvh.membership.Snapshot.epoch": (),
    "rvh.membership.Snapshot.faults": ("Examples",),
    "rvh.membership.Snapshot.fingerprint": (),
    "rvh.membership.Snapshot.members": (),
    "rvh.membership.Snapshot.nodes": (),
    "rvh.membership.Snapshot.weights": (),
    "rvh.membership.Snapshot.repair": FUNCTION,
    "rvh.membership.Source": (),
    "rvh.membership.Source.name": (),
    "rvh.membership.Source.watch": (),
    "rvh.membership.State": ("Parameters",),
    "rvh.membership.Stats": ("Parameters",),
    "rvh.membership.Status": (),
    "rvh.membership.given_weights": ("Raises", "Examples"),
    "rvh.membership.open_source": ("Parameters", "Raises", "Examples"),
    "rvh.membership.read_document": ("Parameters", "Returns", "Raises", "Examples"),
    "rvh.membership.read_once": ("Parameters", "Raises", "Examples"),
    "rvh.membership.share_moved": ("Parameters", "Returns", "Raises", "Examples"),
    "rvh.membership.take_snapshot": ("Parameters", "Raises"),
    "rvh.membership.weigh_by": ("Parameters", "Returns", "Raises", "Examples"),
    "rvh.partitions.PartitionTable.with_nodes": ("Parameters", "Raises", "Examples"),
    "rvh.observe.Counts": ("Parameters",),
    "rvh.observe.Histogram": ("Parameters",),
    "rvh.observe.counts": FUNCTION,
    "rvh.observe.instrument": ("Parameters", "Raises", "Examples"),
    "rvh.observe.uninstrument": ("Raises", "Examples"),
    "rvh.observe.unwatch": ("Examples",),
    "rvh.observe.watch": ("Parameters", "Raises", "Examples"),
    "rvh.partitions.Moves": ("Parameters",),
    "rvh.partitions.PartitionTable": ("Parameters", "Raises", "Notes", "Examples"),
    "rvh.partitions.PartitionTable.add": ("Examples",),
    "rvh.partitions.PartitionTable.arglookup_batch": ("Returns", "Examples"),
    "rvh.partitions.PartitionTable.k": (),
    "rvh.partitions.PartitionTable.load": FUNCTION,
    "rvh.partitions.PartitionTable.lookup": ("Returns", "Examples"),
    "rvh.partitions.PartitionTable.lookup_batch": FUNCTION,
    "rvh.partitions.PartitionTable.moved": FUNCTION,
    "rvh.partitions.PartitionTable.nodes": (),
    "rvh.partitions.PartitionTable.owners": ("Examples",),
    "rvh.partitions.PartitionTable.partition_batch": ("Returns", "Examples"),
    "rvh.partitions.PartitionTable.partitions": (),
    "rvh.partitions.PartitionTable.remove": ("Examples",),
    "rvh.partitions.PartitionTable.save": ("Parameters", "Raises", "Examples"),
    "rvh.partitions.PartitionTable.with_weights": ("Examples",),
    "rvh.stable.StableSelector": ("Parameters", "Raises", "Notes", "Examples"),
    "rvh.stable.StableSelector.ids": (),
    "rvh.stable.StableSelector.select": FUNCTION,
    "rvh.stable.StableSelector.argselect_batch": FUNCTION,
    "rvh.stable.StableSelector.select_batch": FUNCTION,
    "rvh.stable.StableSelector.append": ("Examples",),
    "rvh.stable.StableSelector.pop": ("Examples",),
    "rvh.stable.jump_batch": FUNCTION,
    "rvh.stable.jump_hash": (*FUNCTION, "Notes"),
    "rvh.stable.jumpback_batch": FUNCTION,
    "rvh.stable.jumpback_hash": (*FUNCTION, "Notes"),
    "rvh.balanced.BalancedAssigner": ("Parameters", "Raises", "Notes", "Examples"),
    "rvh.balanced.BalancedAssigner.assign_batch": FUNCTION,
    "rvh.balanced.BalancedAssigner.loads": (),
    "rvh.balanced.BalancedAssigner.nodes": (),
    "rvh.balanced.BalancedAssigner.rebalance": ("Parameters", "Returns", "Examples"),
    "rvh.balanced.BalancedAssigner.sizes": ("Examples",),
    "rvh.balanced.BalancedAssigner.update": FUNCTION,
    "rvh.balanced.Moves": ("Parameters",),
    "rvh.balanced.BalancedAssigner.release": ("Parameters", "Raises", "Examples"),
    "rvh.balanced.argassign_balanced": FUNCTION,
    "rvh.balanced.assign_balanced": (*FUNCTION, "Notes"),
    "rvh.balanced.capacities": FUNCTION,
    "rvh.cache.CacheInfo": ("Parameters",),
    "rvh.cache.SelectionCache": ("Parameters", "Raises", "Notes", "Examples"),
    "rvh.cache.SelectionCache.argselect_batch": FUNCTION,
    "rvh.cache.SelectionCache.aselect": ("Examples",),
    "rvh.cache.SelectionCache.clear": ("Examples",),
    "rvh.cache.SelectionCache.info": ("Returns", "Examples"),
    "rvh.cache.SelectionCache.nodes": ("Examples",),
    "rvh.cache.SelectionCache.select_batch": FUNCTION,
    "rvh.faultset.FaultSet": ("Parameters", "Raises", "Examples"),
    "rvh.faultset.FaultSet.alive": (),
    "rvh.faultset.FaultSet.argrepair": FUNCTION,
    "rvh.faultset.FaultSet.argselect_batch": FUNCTION,
    "rvh.faultset.FaultSet.fingerprint": ("Examples",),
    "rvh.faultset.FaultSet.nodes": (),
    "rvh.faultset.FaultSet.repair": (*FUNCTION, "Notes"),
    "rvh.faultset.FaultSet.select": FUNCTION,
    "rvh.faultset.FaultSet.select_batch": (*FUNCTION, "Notes"),
    "rvh.faultset.FaultSet.spread_max": FUNCTION,
    "rvh.faultset.FaultSet.with_alive": ("Examples",),
    "rvh.faultset.FaultSet.with_spread": FUNCTION,
    "rvh.faultset.Repair": ("Parameters",),
    "rvh.faultset.Replicas": ("Parameters",),
    "rvh.filter.Filter": ("Examples",),
    "rvh.filter.alive": FUNCTION,
    "rvh.filter.capacity": FUNCTION,
    "rvh.filter.label": (*FUNCTION, "Notes"),
    "rvh.filter.near": FUNCTION,
    "rvh.filter.zone": FUNCTION,
    "rvh.geohash.GeoSet": ("Parameters", "Raises", "Notes", "Examples"),
    "rvh.geohash.GeoSet.argselect_batch": FUNCTION,
    "rvh.geohash.GeoSet.geohash": (),
    "rvh.geohash.GeoSet.nodes": (),
    "rvh.geohash.GeoSet.precision": (),
    "rvh.geohash.GeoSet.select": FUNCTION,
    "rvh.geohash.GeoSet.select_batch": FUNCTION,
    "rvh.geohash.encode": (*FUNCTION, "Notes"),
    "rvh.placements.Modulo": ("Parameters", "Raises", "Examples"),
    "rvh.placements.Modulo.hash": (),
    "rvh.placements.Modulo.integers": (),
    "rvh.placements.Modulo.reduce": (),
    "rvh.placements.Modulo.tag": (),
    "rvh.placements.Modulo.slot": ("Raises", "Examples"),
    "rvh.placements.Modulo.slot_batch": FUNCTION,
    "rvh.placements.Modulo.with_integers": FUNCTION,
    "rvh.placements.Rendezvous": ("Examples",),
    "rvh.placements.Rendezvous.arglookup_batch": FUNCTION,
    "rvh.placements.Rendezvous.fingerprint": ("Examples",),
    "rvh.placements.Rendezvous.ids": (),
    "rvh.placements.Rendezvous.integers": (),
    "rvh.placements.Rendezvous.lookup": FUNCTION,
    "rvh.placements.Rendezvous.lookup_batch": FUNCTION,
    "rvh.placements.Rendezvous.with_integers": FUNCTION,
    "rvh.placements.Rendezvous.without": FUNCTION,
    "rvh.placements.SlotTable": ("Parameters",),
    "rvh.placements.SlotTable.arglookup_batch": FUNCTION,
    "rvh.placements.SlotTable.fingerprint": ("Examples",),
    "rvh.placements.SlotTable.ids": (),
    "rvh.placements.SlotTable.lookup": FUNCTION,
    "rvh.placements.SlotTable.lookup_batch": FUNCTION,
    "rvh.placements.SlotTable.owners": ("Examples",),
    "rvh.placements.SlotTable.slot": (),
    "rvh.placements.SlotTable.slot_batch": (),
    "rvh.placements.TypedModulo": ("Parameters", "Raises", "Examples"),
    "rvh.placements.TypedModulo.hash_columns": FUNCTION,
    "rvh.placements.TypedModulo.lookup_columns": FUNCTION,
    "rvh.placements.TypedModulo.slot": ("Parameters", "Raises", "Examples"),
    "rvh.placements.TypedModulo.slot_batch": FUNCTION,
    "rvh.placements.TypedModulo.slot_columns": FUNCTION,
    "rvh.placements.TypedModulo.system": (),
    "rvh.placements.TypedModulo.types": (),
    "rvh.placements.elasticsearch": (*FUNCTION, "Notes"),
    "rvh.placements.TokenMap": ("Parameters", "Raises", "Examples"),
    "rvh.placements.TokenMap.integers": (),
    "rvh.placements.TokenMap.slot": ("Raises", "Examples"),
    "rvh.placements.TokenMap.slot_batch": FUNCTION,
    "rvh.placements.TokenMap.tokens": ("Examples",),
    "rvh.placements.TokenMap.with_integers": FUNCTION,
    "rvh.placements.cassandra": (*FUNCTION, "Notes"),
    "rvh.placements.clandestined": (*FUNCTION, "Notes"),
    "rvh.placements.envoy_ring": (*FUNCTION, "Notes"),
    "rvh.placements.haproxy": (*FUNCTION, "Notes"),
    "rvh.placements.haproxy_map": (*FUNCTION, "Notes"),
    "rvh.placements.hive": (*FUNCTION, "Notes"),
    "rvh.placements.iceberg": (*FUNCTION, "Notes"),
    "rvh.placements.kafka": (*FUNCTION, "Notes"),
    "rvh.placements.maglev": (*FUNCTION, "Notes"),
    "rvh.placements.postgresql": (*FUNCTION, "Notes"),
    "rvh.placements.spark": (*FUNCTION, "Notes"),
    "rvh.migration.Coordinator": ("Parameters", "Raises", "Examples"),
    "rvh.migration.Coordinator.acknowledge": ("Raises",),
    "rvh.migration.Coordinator.acknowledged": (),
    "rvh.migration.Coordinator.advance": ("Returns", "Raises", "Examples"),
    "rvh.migration.Coordinator.are_workers_named": (),
    "rvh.migration.Coordinator.dead": (),
    "rvh.migration.Coordinator.epoch": (),
    "rvh.migration.Coordinator.finish": ("Parameters", "Raises"),
    "rvh.migration.Coordinator.generation": (),
    "rvh.migration.Coordinator.is_rolling_back": (),
    "rvh.migration.Coordinator.is_to_purge": (),
    "rvh.migration.Coordinator.join": (),
    "rvh.migration.Coordinator.leave": (),
    "rvh.migration.Coordinator.left": ("Examples",),
    "rvh.migration.Coordinator.leftovers": ("Parameters", "Returns", "Raises"),
    "rvh.migration.Coordinator.lose": FUNCTION,
    "rvh.migration.Coordinator.migration": (),
    "rvh.migration.Coordinator.moves": ("Parameters", "Returns", "Raises"),
    "rvh.migration.Coordinator.phase": (),
    "rvh.migration.Coordinator.progress": (),
    "rvh.migration.Coordinator.purged": ("Raises",),
    "rvh.migration.Coordinator.resume": FUNCTION,
    "rvh.migration.Coordinator.rollback": ("Returns", "Raises"),
    "rvh.migration.Coordinator.set_progress": ("Raises",),
    "rvh.migration.Coordinator.steps": (),
    "rvh.migration.Coordinator.view": ("Examples",),
    "rvh.migration.Coordinator.waiting": (),
    "rvh.migration.Coordinator.workers": ("Examples",),
    "rvh.migration.Leftovers": ("Parameters",),
    "rvh.migration.Store": (),
    "rvh.migration.Store.get": (),
    "rvh.migration.Store.mark": (),
    "rvh.migration.Store.put": (),
    "rvh.migration.Store.remove": (),
    "rvh.migration.StoreError": ("Parameters",),
    "rvh.migration.View": ("Parameters", "Examples"),
    "rvh.migration.Worker": ("Parameters", "Raises", "Examples"),
    "rvh.migration.Worker.adopt": FUNCTION,
    "rvh.migration.Worker.delete": ("Raises",),
    "rvh.migration.Worker.read": ("Raises",),
    "rvh.migration.Worker.settled": (),
    "rvh.migration.Worker.view": (),
    "rvh.migration.Worker.write": ("Raises",),
    "rvh.migration.Copied": ("Parameters",),
    "rvh.migration.Purged": ("Parameters",),
    "rvh.migration.copy": FUNCTION,
    "rvh.migration.purge": FUNCTION,
    "rvh.migration.Estimate": ("Parameters", "Examples"),
    "rvh.migration.Estimate.copies": (),
    "rvh.migration.Estimate.deleted_copies": (),
    "rvh.migration.Estimate.remarks": ("Examples",),
    "rvh.migration.Estimate.seconds": FUNCTION,
    "rvh.migration.Estimate.to_dict": ("Parameters", "Returns", "Examples"),
    "rvh.migration.Estimator": ("Parameters", "Examples"),
    "rvh.migration.Estimator.add": FUNCTION,
    "rvh.migration.Estimator.draw": ("Parameters", "Examples"),
    "rvh.migration.Estimator.estimate": ("Returns", "Raises", "Examples"),
    "rvh.migration.Estimator.ids": (),
    "rvh.migration.Estimator.steps": (),
    "rvh.migration.Flows": ("Parameters",),
    "rvh.migration.Loads": ("Parameters",),
    "rvh.migration.Loads.max_mean": ("Parameters", "Returns", "Examples"),
    "rvh.migration.Moves": ("Parameters",),
    "rvh.migration.Seconds": ("Parameters",),
    "rvh.migration.Steps": ("Parameters",),
    "rvh.placements.pymemcache": (*FUNCTION, "Notes"),
    "rvh.report.write_report": ("Parameters", "Raises", "Examples"),
    "rvh.placements.bigquery": (*FUNCTION, "Notes"),
    "rvh.placements.libmemcached_modula": (*FUNCTION, "Notes"),
    "rvh.placements.python_memcached": (*FUNCTION, "Notes"),
    "rvh.placements.redis_cluster": (*FUNCTION, "Notes"),
    "rvh.placements.twemproxy": (*FUNCTION, "Notes"),
    "rvh.ring.Migration": ("Parameters", "Raises", "Examples"),
    "rvh.ring.Migration.at": FUNCTION,
    "rvh.ring.Migration.crossed_batch": FUNCTION,
    "rvh.ring.Migration.crossing_batch": FUNCTION,
    "rvh.ring.Migration.estimate": FUNCTION,
    "rvh.ring.Migration.new": ("Examples",),
    "rvh.ring.Migration.old": ("Examples",),
    "rvh.ring.Migration.moves": FUNCTION,
    "rvh.ring.Migration.owners": ("Examples",),
    "rvh.ring.Migration.owners_batch": FUNCTION,
    "rvh.ring.Migration.plan": FUNCTION,
    "rvh.ring.Migration.route": FUNCTION,
    "rvh.ring.MigrationAt": ("Parameters", "Examples"),
    "rvh.ring.MigrationAt.argselect_batch": FUNCTION,
    "rvh.ring.MigrationAt.fingerprint": ("Raises", "Examples"),
    "rvh.ring.MigrationAt.ids": (),
    "rvh.ring.MigrationAt.k": (),
    "rvh.ring.MigrationAt.progress": (),
    "rvh.ring.MigrationAt.select": ("Examples",),
    "rvh.ring.MigrationAt.select_batch": FUNCTION,
    "rvh.ring.Moved": ("Parameters",),
    "rvh.ring.Phase": (),
    "rvh.ring.Plan": ("Parameters", "Examples"),
    "rvh.ring.Plan.finish": ("Examples",),
    "rvh.ring.Plan.left": ("Examples",),
    "rvh.ring.Plan.progress": (),
    "rvh.ring.Plan.resume": FUNCTION,
    "rvh.ring.Plan.rows": FUNCTION,
    "rvh.ring.Plan.state": ("Examples",),
    "rvh.ring.Plan.steps": (),
    "rvh.ring.Plan.steps_of": FUNCTION,
    "rvh.ring.Ring": ("Examples",),
    "rvh.ring.Ring.arglookup_batch": FUNCTION,
    "rvh.ring.Ring.arglookup_tokens": FUNCTION,
    "rvh.ring.Ring.fingerprint": ("Examples",),
    "rvh.ring.Ring.from_tokens": FUNCTION,
    "rvh.ring.Ring.hash": (),
    "rvh.ring.Ring.ids": (),
    "rvh.ring.Ring.integers": (),
    "rvh.ring.Ring.lookup": FUNCTION,
    "rvh.ring.Ring.lookup_batch": FUNCTION,
    "rvh.ring.Ring.lookup_tokens": FUNCTION,
    "rvh.ring.Ring.owners": (),
    "rvh.ring.Ring.tag": (),
    "rvh.ring.Ring.token": ("Examples",),
    "rvh.ring.Ring.token_batch": FUNCTION,
    "rvh.ring.Ring.tokens": ("Examples",),
    "rvh.ring.Ring.with_integers": FUNCTION,
    "rvh.ring.Ring.without": FUNCTION,
    "rvh.ring.RingFace": ("Parameters", "Raises", "Notes", "Examples"),
    "rvh.ring.RingFace.add_node": ("Raises", "Examples"),
    "rvh.ring.RingFace.conf": ("Examples",),
    "rvh.ring.RingFace.continuum": ("Examples",),
    "rvh.ring.RingFace.distribution": ("Examples",),
    "rvh.ring.RingFace.gen_key": ("Examples",),
    "rvh.ring.RingFace.get": ("Examples",),
    "rvh.ring.RingFace.get_instances": ("Examples",),
    "rvh.ring.RingFace.get_key": ("Examples",),
    "rvh.ring.RingFace.get_node": ("Examples",),
    "rvh.ring.RingFace.get_node_hostname": ("Examples",),
    "rvh.ring.RingFace.get_node_instance": ("Examples",),
    "rvh.ring.RingFace.get_node_port": ("Examples",),
    "rvh.ring.RingFace.get_node_pos": ("Examples",),
    "rvh.ring.RingFace.get_node_weight": ("Examples",),
    "rvh.ring.RingFace.get_nodes": ("Parameters", "Returns", "Raises", "Examples"),
    "rvh.ring.RingFace.get_points": ("Examples",),
    "rvh.ring.RingFace.get_server": ("Examples",),
    "rvh.ring.RingFace.hashi": ("Examples",),
    "rvh.ring.RingFace.iterate_nodes": ("Examples",),
    "rvh.ring.RingFace.nodes": (),
    "rvh.ring.RingFace.print_continuum": ("Examples",),
    "rvh.ring.RingFace.range": ("Examples",),
    "rvh.ring.RingFace.regenerate": ("Raises", "Examples"),
    "rvh.ring.RingFace.remove_node": ("Raises", "Examples"),
    "rvh.ring.RingFace.ring": ("Examples",),
    "rvh.ring.RingFace.size": ("Examples",),
    "rvh.ring.RingFace.weights": ("Examples",),
    "rvh.ring.Route": ("Parameters",),
    "rvh.ring.Step": ("Parameters",),
    "rvh.ring.hash_ring": (*FUNCTION, "Notes"),
    "rvh.ring.ketama": (*FUNCTION, "Notes"),
    "rvh.ring.libmemcached": (*FUNCTION, "Notes"),
    "rvh.ring.nginx": (*FUNCTION, "Notes"),
    "rvh.ring.uhashring": (*FUNCTION, "Notes"),
    "rvh.weighted.weights_from": FUNCTION,
    "rvh.NodeSet.ids": (),
    "rvh.NodeSet.scheme": (),
    "rvh.NodeSet.secret": (),
    "rvh.NodeSet.domains": ("Examples",),
    "rvh.NodeSet.fingerprint": ("Examples",),
    "rvh.NodeSet.select": FUNCTION,
    "rvh.NodeSet.aselect": ("Examples",),
    "rvh.NodeSet.argselect_batch": FUNCTION,
    "rvh.NodeSet.select_batch": FUNCTION,
    "rvh.NodeSet.argassign": FUNCTION,
    "rvh.NodeSet.assign": (*FUNCTION, "Notes"),
    "rvh.NodeSet.score_batch": FUNCTION,
    "rvh.NodeSet.scores": ("Returns", "Examples"),
    "rvh.NodeSet.weights": (),
    "rvh.NodeSet.with_weights": ("Examples",),
    "rvh.NodeSet.add": ("Parameters", "Examples"),
    "rvh.NodeSet.remove": ("Examples",),
    "rvh.NodeSet.subset": ("Examples",),
    "rvh.rpc.Answer": ("Parameters",),
    "rvh.rpc.AsyncClient": ("Parameters", "Raises", "Examples"),
    "rvh.rpc.AsyncClient.argselect_batch": (),
    "rvh.rpc.AsyncClient.close": (),
    "rvh.rpc.AsyncClient.ids": (),
    "rvh.rpc.AsyncClient.nodes": (),
    "rvh.rpc.AsyncClient.score_batch": (),
    "rvh.rpc.AsyncClient.scores": (),
    "rvh.rpc.AsyncClient.select": ("Raises",),
    "rvh.rpc.AsyncClient.select_batch": (),
    "rvh.rpc.Client": ("Parameters", "Raises", "Examples"),
    "rvh.rpc.Client.argselect_batch": (),
    "rvh.rpc.Client.close": (),
    "rvh.rpc.Client.ids": (),
    "rvh.rpc.Client.nodes": (),
    "rvh.rpc.Client.score_batch": (),
    "rvh.rpc.Client.scores": (),
    "rvh.rpc.Client.select": ("Raises",),
    "rvh.rpc.Client.select_batch": (),
    "rvh.rpc.Limits": ("Parameters",),
    "rvh.rpc.Server": ("Parameters", "Raises"),
    "rvh.rpc.Server.close": ("Parameters",),
    "rvh.rpc.Server.is_draining": (),
    "rvh.rpc.Server.port": (),
    "rvh.rpc.Server.report": (),
    "rvh.rpc.Server.start": (),
    "rvh.rpc.Server.wait": (),
    "rvh.rpc.ServerTls": ("Parameters",),
    "rvh.rpc.ServiceError": ("Parameters",),
    "rvh.rpc.Tls": ("Parameters",),
    "rvh.rpc.Tls.credentials": (),
    "rvh.rpc.WatchNodes": ("Parameters",),
    "rvh.rpc.WatchNodes.watch": (),
    "rvh.rpc.follow": ("Parameters", "Returns", "Raises", "Examples"),
}


#: modules without rows of their own: programs, types, names that are documented elsewhere
ELSEWHERE = {
    *("bench", "cli", "errors", "integrations", "keys", "nodes", "rendezvous"),
    "typing",
}
MODULES_APART = [
    module.name
    for module in pkgutil.iter_modules(rvh.__path__)
    if not module.name.startswith("_") and module.name not in ELSEWHERE
]
for _module in MODULES_APART:
    importlib.import_module(f"rvh.{_module}")


def public_names() -> set[str]:
    names = {f"rvh.{name}" for name in rvh.__all__ if name != "__version__"}
    for module in MODULES_APART:
        names |= {f"rvh.{module}.{n}" for n in getattr(rvh, module).__all__ if not n.isupper()}
    names -= {f"rvh.migration.{name}" for name in rvh.ring.__all__}  # rows under rvh.ring
    for name in list(names):
        value = resolve(name)
        if inspect.isclass(value) and not issubclass(value, (Exception, tuple, Enum)):
            names |= {
                f"{name}.{member}"
                for member, what in vars(value).items()
                if not member.startswith("_")
                and not inspect.ismemberdescriptor(what)  # a field, which the class documents
                and member not in getattr(value, "__dataclass_fields__", ())  # one too
            }
    return names


def resolve(name: str) -> Any:
    value: Any = rvh
    for part in name.split(".")[1:]:
        value = getattr(value, part)
    return value


def test_the_table_has_every_public_name() -> None:
    names = public_names()
    assert names - set(RULES) == set(), "public, and without a row in RULES"
    assert set(RULES) - names == set(), "a row in RULES, and not public"


@pytest.mark.parametrize("name", RULES)
def test_docstring(name: str) -> None:
    text = inspect.getdoc(resolve(name)) or ""
    lines = text.splitlines()
    assert lines
    assert lines[0].endswith((".", "?"))
    assert not lines[1:] or lines[1] == ""
    for section in RULES[name]:
        at = [i for i, line in enumerate(lines) if line == section]
        assert len(at) == 1, section
        assert lines[at[0] + 1] == "-" * len(section), section
    assert (">>> " in text) == ("Examples" in RULES[name])


@pytest.mark.parametrize("name", [name for name, wanted in RULES.items() if "Examples" in wanted])
def test_an_example_runs_as_pasted(name: str) -> None:
    """With nothing but what it imports itself."""
    examples = inspect.getdoc(resolve(name)) or ""
    test = doctest.DocTestParser().get_doctest(examples, {}, name, None, 0)
    printed: list[str] = []
    results = doctest.DocTestRunner().run(test, out=printed.append)
    assert results.failed == 0, "".join(printed)
    assert results.attempted > 0


WITH_PARAMETERS = [name for name, sections in RULES.items() if "Parameters" in sections]


@pytest.mark.parametrize("name", WITH_PARAMETERS)
def test_every_parameter_is_explained(name: str) -> None:
    function: Callable[..., Any] = resolve(name)
    text = inspect.getdoc(function) or ""
    section = text.split("Parameters\n----------\n")[1].split("\n\n")[0]
    explained = {
        word.strip(" *")
        for line in section.splitlines()
        if not line.startswith(" ")
        for word in line.partition(":")[0].split(",")
    }
    assert explained == set(inspect.signature(function).parameters) - {"self"}


def test_all_names_exist_and_are_sorted() -> None:
    assert rvh.__all__ == sorted(rvh.__all__)
    for name in rvh.__all__:
        assert hasattr(rvh, name)


MODULES = [
    module.name
    for module in pkgutil.walk_packages(rvh.__path__, "rvh.")
    if not module.name.startswith("rvh.cli") and not module.name.endswith("__main__")
]


@pytest.mark.parametrize("name", ["rvh", *MODULES])
def test_every_module_says_what_it_is_for(name: str) -> None:
    if name.startswith(("rvh.integrations.", "rvh.observe.")):
        pytest.importorskip(name, exc_type=ImportError)  # says which engine is missing
    module = importlib.import_module(name)
    assert (module.__doc__ or "").strip()


def test_the_package_is_typed() -> None:
    assert importlib.resources.files("rvh").joinpath("py.typed").is_file()


def test_the_table_of_layouts_has_every_kind_of_keys() -> None:
    cells = (line.split("|") for line in LAYOUTS.read_text("utf-8").splitlines())
    listed = [(row[1].strip(), row[2].strip("` ")) for row in cells if len(row) == 6]
    for kind, what, _ in rvh.keys.KINDS:
        names = [name for passed, name in listed if passed == what]
        assert names in ([kind.name], ["the column's"]), what
