/**
 * The shape of a valid spec. Generated from the schema by `npm run generate`; change runner/spec/schema instead.
 */

/**
 * How data flows between the instances.
 */
export type Topology =
  | {
      /**
       * The shape.
       */
      kind: 'one-way';
      /**
       * Instance that is read.
       */
      source: string;
      /**
       * Instance that is written.
       */
      target: string;
    }
  | {
      /**
       * The shape.
       */
      kind: 'one-to-many';
      /**
       * Instance that is read.
       */
      source: string;
      /**
       * Instances that are written.
       *
       * @minItems 2
       */
      targets: [string, string, ...string[]];
    }
  | {
      /**
       * The shape.
       */
      kind: 'cascade';
      /**
       * The instances, the first source first.
       *
       * @minItems 3
       */
      chain: [string, string, string, ...string[]];
    }
  | {
      /**
       * The shape.
       */
      kind: 'many-to-one';
      /**
       * Instances that are read.
       *
       * @minItems 2
       */
      sources: [string, string, ...string[]];
      /**
       * Instance that is written.
       */
      target: string;
      /**
       * Patterns (as of KEYS: user:*, [a-m]*) of the keys that each source owns. They must not overlap; a key that its owner does not own is a finding.
       */
      ownership?: {
        /**
         * Patterns of the keys that only this source writes.
         *
         * @minItems 1
         *
         * Items: A pattern, as of KEYS.
         */
        [k: string]: [string, ...string[]];
      };
    }
  | {
      /**
       * The shape.
       */
      kind: 'two-way';
      /**
       * Instance that has the data at the beginning.
       */
      source: string;
      /**
       * Instance that gets it.
       */
      target: string;
      /**
       * Patterns (as of KEYS: user:*, [a-m]*) of the keys that each source owns. They must not overlap; a key that its owner does not own is a finding.
       */
      ownership?: {
        /**
         * Patterns of the keys that only this source writes.
         *
         * @minItems 1
         *
         * Items: A pattern, as of KEYS.
         */
        [k: string]: [string, ...string[]];
      };
    }
  | {
      /**
       * The shape.
       */
      kind: 'ring';
      /**
       * The instances, in the order of the circle; the first one has the data.
       *
       * @minItems 3
       */
      members: [string, string, string, ...string[]];
    }
  | {
      /**
       * The shape.
       */
      kind: 'codis';
      /**
       * The groups: each a primary with replicas, reached directly, not through a proxy.
       *
       * @minItems 1
       */
      groups: [string, ...string[]];
      /**
       * Instance that is written.
       */
      target: string;
      /**
       * Slots of each group, e.g. { group-1: [0-511], group-2: [512-1023] }. Default: shared evenly.
       */
      slots?: {
        /**
         * Ranges of Codis slots: 0-511, or 512.
         *
         * @minItems 1
         */
        [k: string]: [string | number, ...(string | number)[]];
      };
      /**
       * Databases that the clients of the cluster use: data and workload go there unless they say otherwise. All others are replicated too.
       *
       * @minItems 1
       *
       * Items: Database number.
       */
      databases?: [number, ...number[]];
      /**
       * Whether all groups start at once, or each when the one before it is in sync.
       */
      start?: 'together' | 'in-turn';
      /**
       * Whether the check that the target is empty leaves out what the other groups have brought there. literal does not, as some instructions have it: with start: in-turn the second group then refuses to start.
       */
      emptyCheck?: 'group-aware' | 'literal';
    };
/**
 * One thing that happens during the run.
 */
export type Step =
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * Sends commands to an instance, or runs a shell command that knows where the instances are.
       */
      fault: 'script';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of script.
       */
      with: CommandsToAnInstance | AShellCommand;
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * Every byte between the link and the server comes later.
       */
      fault: 'latency';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of latency.
       */
      with?: {
        /**
         * How much later.
         */
        latency?: string;
        /**
         * Give or take.
         */
        jitter?: string;
        /**
         * Which bytes: upstream is from the engine to the server, downstream from the server to the engine.
         */
        stream?: 'both' | 'upstream' | 'downstream';
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * Each connection between the link and the server carries no more than so many bytes a second.
       */
      fault: 'bandwidth';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of bandwidth.
       */
      with?: {
        /**
         * Bytes per second.
         */
        rate?: string;
        /**
         * Which bytes: upstream is from the engine to the server, downstream from the server to the engine.
         */
        stream?: 'both' | 'upstream' | 'downstream';
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * Bytes come in small pieces, some time apart.
       */
      fault: 'slicer';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of slicer.
       */
      with?: {
        /**
         * Bytes in a piece.
         */
        size?: number;
        /**
         * Between two pieces.
         */
        delay?: string;
        /**
         * Which bytes: upstream is from the engine to the server, downstream from the server to the engine.
         */
        stream?: 'both' | 'upstream' | 'downstream';
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * Nothing passes, and after a while the connections are closed.
       */
      fault: 'timeout';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of timeout.
       */
      with?: {
        /**
         * When they are closed.
         */
        after?: string;
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * Connections are reset, new ones too.
       */
      fault: 'reset-peer';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of reset-peer.
       */
      with?: {
        /**
         * How old a connection may get.
         */
        after?: string;
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * The server closes the connections of the link, and the link learns of it late.
       */
      fault: 'slow-close';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of slow-close.
       */
      with?: {
        /**
         * How late.
         */
        delay?: string;
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * Each connection breaks after exactly so many more bytes.
       */
      fault: 'limit-data';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of limit-data.
       */
      with?: {
        /**
         * Bytes that still pass on a connection.
         */
        bytes?: string;
        /**
         * Which bytes: upstream is from the engine to the server, downstream from the server to the engine.
         */
        stream?: 'both' | 'upstream' | 'downstream';
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * One direction is dead while both sides believe that they are connected.
       */
      fault: 'half-open';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of half-open.
       */
      with?: {
        /**
         * Which bytes: upstream is from the engine to the server, downstream from the server to the engine.
         */
        stream?: 'both' | 'upstream' | 'downstream';
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * Nothing passes in either direction, and nobody answers new connections.
       */
      fault: 'blackhole';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of blackhole.
       */
      with?: {};
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * One bit is inverted on the way; a snapshot must be refused then.
       */
      fault: 'corrupt';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of corrupt.
       */
      with?: {
        /**
         * How many more bytes of a connection are left alone first.
         */
        at?: string;
        /**
         * On how many connections.
         */
        times?: number;
        /**
         * Which bytes: upstream is from the engine to the server, downstream from the server to the engine.
         */
        stream?: 'both' | 'upstream' | 'downstream';
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * Bytes vanish while the connection goes on: what no engine survives and every check must see.
       */
      fault: 'silent-drop';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of silent-drop.
       */
      with?: {
        /**
         * How many more bytes of the busiest connection pass first.
         */
        at?: string;
        /**
         * How many vanish.
         */
        bytes?: string;
        /**
         * Which bytes: upstream is from the engine to the server, downstream from the server to the engine.
         */
        stream?: 'both' | 'upstream' | 'downstream';
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * A replica becomes the primary, and the other servers follow it.
       */
      fault: 'failover';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of failover.
       */
      with?: {
        /**
         * command: in agreement (FAILOVER, CLUSTER FAILOVER), without loss, or as Sentinels do it (SENTINEL FAILOVER), who leave clients with the old primary for seconds; replicaof: a replica is promoted while clients write (REPLICAOF, TAKEOVER), what it has not got is lost; crash: the primary is killed first, and comes back as a replica when the fault is healed; behind: as crash, but the replica is cut off from it first and misses what was written since.
         */
        method?: 'command' | 'replicaof' | 'crash' | 'behind';
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * The primary moves to a new address: a new server takes over, and the old one is gone.
       */
      fault: 'endpoint-move';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of endpoint-move.
       */
      with?: {};
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * A replica is promoted while the old primary goes on; healed, the old one follows it and forgets its branch.
       */
      fault: 'split-brain';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of split-brain.
       */
      with?: {};
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * Slots of a cluster move from one shard to another with their keys, while clients write.
       */
      fault: 'reshard';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of reshard.
       */
      with?: {
        /**
         * How many.
         */
        slots?: number;
        /**
         * Number of the shard that gives them.
         */
        from?: number;
        /**
         * Number of the shard that gets them.
         */
        to?: number;
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * Slots of a Codis cluster move from one group to another with their keys, while clients write.
       */
      fault: 'codis-rebalance';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of codis-rebalance.
       */
      with: {
        /**
         * The group that gets them.
         */
        to: string;
        /**
         * First slot.
         */
        first?: number;
        /**
         * How many.
         */
        slots?: number;
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * The source gets a new replication id and drops its replicas: no link can continue, all is copied again.
       */
      fault: 'replid-change';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of replid-change.
       */
      with?: {};
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * A server is killed (SIGKILL); healed, it starts again with what its persistence kept, which by default is nothing.
       */
      fault: 'kill';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of kill.
       */
      with?: {};
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * A server saves its data and shuts down in order; healed, it starts again with it.
       */
      fault: 'stop';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of stop.
       */
      with?: {};
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * A server is stopped in its tracks (SIGSTOP): connections stay open, nothing answers.
       */
      fault: 'pause';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of pause.
       */
      with?: {};
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * A server saves, is killed, starts again, and dies again, several times.
       */
      fault: 'crash-loop';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of crash-loop.
       */
      with?: {
        /**
         * How often it dies.
         */
        deaths?: number;
        /**
         * How long it lives in between.
         */
        up?: string;
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * A server saves, goes on for a number of changes, is killed, and comes back without them.
       */
      fault: 'restart-old-snapshot';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of restart-old-snapshot.
       */
      with?: {
        /**
         * How many changes are lost at least.
         */
        changes?: number;
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * A server cannot write its snapshot, as on a full disk, and refuses writes (MISCONF).
       */
      fault: 'bgsave-fail';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of bgsave-fail.
       */
      with?: {};
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * A server closes all its connections of a kind (CLIENT KILL): of replicas at a source, of clients at a target.
       */
      fault: 'connection-kill';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of connection-kill.
       */
      with?: {
        /**
         * replica: who reads the stream (a link at its source); normal: who sends commands.
         */
        type?: 'replica' | 'normal';
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * The source drops its replicas and writes more than its backlog holds in one transaction: all is copied again.
       */
      fault: 'backlog-overflow';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of backlog-overflow.
       */
      with?: {};
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * The engine stands still until the source closes its connection for the output buffer that grows.
       */
      fault: 'output-buffer-overflow';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of output-buffer-overflow.
       */
      with?: {};
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * The source waits only two seconds for an acknowledgement, and the engine stands still for longer.
       */
      fault: 'repl-timeout';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of repl-timeout.
       */
      with?: {};
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * A server takes no more connections, and turns away whoever comes.
       */
      fault: 'max-clients';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of max-clients.
       */
      with?: {
        /**
         * Also close the connections of replicas, so that they have to come back.
         */
        cut?: boolean;
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * A server is over its memory limit and evicts nothing: writes are refused with OOM.
       */
      fault: 'target-oom';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of target-oom.
       */
      with?: {};
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * A server makes room by removing keys that have an expiry, without telling anybody.
       */
      fault: 'target-evict';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of target-evict.
       */
      with?: {
        /**
         * How much of its data it has to give up.
         */
        percent?: number;
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * A primary becomes a replica of a server that is not there, and refuses writes with READONLY.
       */
      fault: 'read-only';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of read-only.
       */
      with?: {};
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * A server wants more replicas than it has, and refuses writes with NOREPLICAS.
       */
      fault: 'no-replicas';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of no-replicas.
       */
      with?: {};
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * A server loads its data again and answers LOADING for a while.
       */
      fault: 'loading';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of loading.
       */
      with?: {
        /**
         * How long, about.
         */
        time?: string;
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * A script runs without an end: everybody else is answered BUSY.
       */
      fault: 'busy-script';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of busy-script.
       */
      with?: {};
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * A server is busy with one slow command and answers nobody meanwhile.
       */
      fault: 'slow-command';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of slow-command.
       */
      with?: {
        /**
         * How long.
         */
        time?: string;
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * A server makes all writes wait (CLIENT PAUSE) until it is healed.
       */
      fault: 'client-pause';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of client-pause.
       */
      with?: {};
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * The account of the link loses rights on a server: commands are refused with NOPERM.
       */
      fault: 'acl-revoke';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of acl-revoke.
       */
      with?: {
        /**
         * Rules of ACL SETUSER. Default: no writes.
         *
         * @minItems 1
         */
        rules?: [string, ...string[]];
        /**
         * Also close the connections of clients and replicas, which would go on otherwise.
         */
        cut?: boolean;
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * The password of a server changes; whoever connects with the old one is refused. Healed, the old one is right again.
       */
      fault: 'password-rotate';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of password-rotate.
       */
      with?: {
        /**
         * Also close the connections that are open.
         */
        cut?: boolean;
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * The certificate of a server has run out: whoever connects refuses it. Healed, it has the good one again.
       */
      fault: 'tls-expire';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of tls-expire.
       */
      with?: {
        /**
         * Also close the connections that are open.
         */
        cut?: boolean;
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * Somebody who is not the link writes keys to an instance, changes one and deletes others.
       */
      fault: 'rogue-writer';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of rogue-writer.
       */
      with?: {
        /**
         * New keys.
         */
        writes?: number;
        /**
         * Keys that are deleted, whichever they are.
         */
        deletes?: number;
        /**
         * Database.
         */
        database?: number;
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * FLUSHALL or FLUSHDB is run on an instance.
       */
      fault: 'flush';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of flush.
       */
      with?: {
        /**
         * Which of the two.
         */
        command?: 'flushall' | 'flushdb';
        /**
         * Database, for flushdb.
         */
        database?: number;
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * SWAPDB exchanges two databases of an instance.
       */
      fault: 'swapdb';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of swapdb.
       */
      with?: {
        /**
         * One database.
         */
        first?: number;
        /**
         * The other.
         */
        second?: number;
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * A command with keys in several slots of a cluster is run on an instance that is none.
       */
      fault: 'crossslot';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of crossslot.
       */
      with?: {
        /**
         * Which one.
         */
        command?: 'mset' | 'del' | 'rename' | 'sunionstore' | 'lmove' | 'multi' | 'eval';
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * Keys expire and stay: the server does not remove them by itself, so raw counts differ.
       */
      fault: 'stale-expiry';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of stale-expiry.
       */
      with?: {
        /**
         * Keys that expire at once.
         */
        keys?: number;
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * The heartbeat keys of the links are deleted at the source.
       */
      fault: 'heartbeat-delete';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of heartbeat-delete.
       */
      with?: {
        /**
         * What heartbeat keys begin with.
         */
        prefix?: string;
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * Settings of a server change (CONFIG SET) while the link runs; healed, they are what they were.
       */
      fault: 'config-set';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of config-set.
       */
      with: {
        /**
         * Directives of redis.conf, e.g. { maxmemory: 100mb }.
         */
        directives: {
          [k: string]: string | number;
        };
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * The clock of a server is moved, ahead or back, while it runs (libfaketime); healed, it is right again.
       */
      fault: 'clock-skew';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of clock-skew.
       */
      with?: {
        /**
         * How far: 30s ahead, -30s behind.
         */
        by?: string;
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * The process of a link is killed (SIGKILL); healed, it is started again.
       */
      fault: 'engine-kill';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of engine-kill.
       */
      with?: {};
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * The process of a link applies what it has received and ends in order; healed, it is started again.
       */
      fault: 'engine-restart';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of engine-restart.
       */
      with?: {};
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * The process of a link is stopped in its tracks (SIGSTOP).
       */
      fault: 'engine-pause';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of engine-pause.
       */
      with?: {};
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * The process of a link gets only a share of its time (SIGSTOP and SIGCONT, ten times a second).
       */
      fault: 'engine-starve';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of engine-starve.
       */
      with?: {
        /**
         * How much of its time it gets.
         */
        percent?: number;
      };
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    }
  | {
      /**
       * Name of this step. Default: step-1, step-2 and so on, by position.
       */
      id?: string;
      /**
       * A link is suspended as by an operator: it receives and applies nothing until it is resumed.
       */
      fault: 'link-suspend';
      /**
       * What it happens to: source, group-1.primary, group-1.replica(0), target.shard(0), link:forward.source.
       */
      where?: string;
      /**
       * Settings of link-suspend.
       */
      with?: {};
      /**
       * Fire this long after the workload started.
       */
      at?: string;
      when?: Moment;
      /**
       * Fire after the step with this id.
       */
      after?: string;
      /**
       * Wait this much longer; with when and after.
       */
      delay?: string;
      /**
       * Heal after this long. Without it, when the run settles.
       */
      for?: string;
      /**
       * Fire again this long after it fired; what is still in effect is healed first.
       */
      every?: string;
      /**
       * With every: how often in all. Without it, until the run settles.
       */
      times?: number;
      /**
       * A step that never fired, or had no effect, does not make the verdict unknown.
       */
      optional?: boolean;
    };
/**
 * Fire when a link reaches a phase, or something measured is so.
 */
export type Moment =
  | string
  | (
      | {
          /**
           * Phase it must be in.
           */
          phase: 'handshake' | 'full-sync' | 'incremental' | 'settle';
          /**
           * Link to watch. Default: the first one that gets there.
           */
          link?: string;
          /**
           * How much of the phase must be done, e.g. ">= 50%".
           */
          progress?: string;
        }
      | {
          /**
           * What is measured.
           */
          metric: 'lag_bytes' | 'lag_ms' | 'snapshot_keys' | 'snapshot_bytes';
          /**
           * Link to watch. Default: the first one that gets there.
           */
          link?: string;
          /**
           * What it must be, e.g. "> 1mb".
           */
          is: string;
          /**
           * How long without a break.
           */
          for?: string;
        }
      | {
          /**
           * One side of a link, e.g. link:main.source.
           */
          proxy: string;
          /**
           * How many bytes of one connection.
           */
          bytes: string | number;
          /**
           * Which bytes: downstream comes from the server, upstream goes to it. Default: downstream at the source, upstream at the target.
           */
          stream?: 'downstream' | 'upstream';
        }
    );
/**
 * Named rehearsals that verify runs instead of the timeline, each on fresh servers and with a verdict of its own. all = all that fit.
 *
 * @minItems 1
 *
 * Items: Name of a scenario (redis-sync scenarios lists them), or all; NAME@LINK when it is not to happen to the first link.
 */
export type Scenarios = [string, ...string[]];
/**
 * Something that must hold at the end.
 */
export type Expectation =
  | {
      /**
       * Name of the check.
       */
      check: 'data-equal';
      /**
       * What may differ.
       */
      tolerance?: {
        /**
         * Times to live that differ by no more than this are equal. Default: compare.ttlTolerance.
         */
        ttl?: string;
      };
    }
  | {
      /**
       * Name of the check.
       */
      check: 'counts';
    }
  | {
      /**
       * Name of the check.
       */
      check: 'ledger';
      /**
       * Acknowledged writes that are not there at the end, also those that their source lost itself in a fault. 0, "<= 10".
       */
      lost?: string | number;
      /**
       * Writes that are there more often than once. 0, "<= 10".
       */
      duplicated?: string | number;
      /**
       * Writes that are behind a later one of the same client. 0, "<= 10".
       */
      reordered?: string | number;
      /**
       * Writes that are there although they were refused or never made. 0, "<= 10".
       */
      unexpected?: string | number;
    }
  | {
      /**
       * Code of the finding, e.g. FULL_RESYNC.
       */
      finding: string;
      /**
       * Only findings of this link.
       */
      link?: string;
      /**
       * How often: 0, "<= 1", ">= 3".
       */
      count: string | number;
    }
  | {
      /**
       * What is measured.
       */
      metric: 'lag_ms' | 'lag_bytes' | 'full_sync_ms' | 'peak_rss_bytes';
      /**
       * Limit of the p50, e.g. "< 1500".
       */
      p50?: string;
      /**
       * Limit of the p95, e.g. "< 1500".
       */
      p95?: string;
      /**
       * Limit of the p99, e.g. "< 1500".
       */
      p99?: string;
      /**
       * Limit of the max, e.g. "< 1500".
       */
      max?: string;
    };

/**
 * A rehearsal: which Redis-compatible databases there are, how data flows between them, what may go wrong, and what must hold afterwards.
 */
export interface Spec {
  /**
   * Name of this rehearsal, in reports and run folders.
   */
  name: string;
  /**
   * What it is about, for people.
   */
  description?: string;
  /**
   * Whose rules apply: open = none but Redis's own; the others are those of a vendor's service.
   */
  profile?: 'open' | 'tair-two-way' | 'codis-to-tair' | 'redis-one-way';
  /**
   * Every random choice derives from it. The same seed makes the same data.
   */
  seed?: number;
  /**
   * The databases, by name. The names are used everywhere else in the spec.
   */
  instances: {
    [k: string]: Instance;
  };
  topology?: Topology;
  /**
   * The links themselves, instead of a topology.
   *
   * @minItems 1
   */
  links?: [Link, ...Link[]];
  /**
   * What is in the sources before the first link starts. Default: mixed keys in every provisioned source; [] = nothing.
   */
  data?: Dataset[];
  /**
   * What clients write meanwhile. Default: mixed commands into every provisioned source; [] = nothing.
   */
  workload?: Workload[];
  /**
   * How long the workload runs once the links are in sync.
   */
  incremental?: string;
  engine?: Engine;
  /**
   * What happens during the run.
   */
  timeline?: Step[];
  scenarios?: Scenarios;
  compare?: Compare;
  /**
   * What must hold at the end, besides equal data.
   */
  expect?: Expectation[];
  report?: Report;
}
/**
 * One database. Without url, urls or sentinel it is provisioned for the run and thrown away afterwards.
 */
export interface Instance {
  /**
   * What it is made of: a primary with replicas (standalone), the same watched by Sentinels of its own (sentinel), several primaries that share the slots (cluster), a primary with replicas of a Codis cluster (codis-group).
   */
  kind?: 'standalone' | 'sentinel' | 'cluster' | 'codis-group';
  /**
   * Wanted version of a provisioned server: "7" or "7.2". Without it, the redis-server or valkey-server that is found.
   */
  version?: string | number;
  /**
   * How it is provisioned: as processes of this machine, or as containers.
   */
  provider?: 'process' | 'container';
  /**
   * Image of provider: container, pulled if it is not there.
   */
  image?: string;
  /**
   * Server program of a provisioned server: a name on the PATH, or a path relative to the spec; in a container, inside the image.
   */
  binary?: string;
  /**
   * Replicas of a provisioned server, in a cluster of each primary. Default: 1 in a sentinel and a codis-group, else 0.
   */
  replicas?: number;
  /**
   * Primaries of a provisioned cluster.
   */
  shards?: number;
  /**
   * Sentinels of a provisioned instance of kind sentinel.
   */
  sentinels?: number;
  /**
   * redis.conf directives of a provisioned server, e.g. { maxmemory: 256mb, repl-backlog-size: 1mb }. true and false are written as yes and no.
   */
  config?: {
    [k: string]: string | number | boolean;
  };
  /**
   * An existing endpoint: redis://[user@]host[:port], or rediss:// for TLS. No password in it.
   */
  url?: string;
  /**
   * Several possible addresses of one existing instance, instead of url: the one that is a primary is used, and looked for again on every connect.
   *
   * @minItems 1
   */
  urls?: [string, ...string[]];
  /**
   * An existing instance that Sentinels watch: they are asked for its primary on every connect. `username`, `password` and `tls` of the instance are those of the servers; with `tls: {}` they are reached by TLS.
   */
  sentinel?: {
    /**
     * Name under which the Sentinels watch it, as in `sentinel monitor NAME …`.
     */
    name: string;
    /**
     * The Sentinels, one after the other until one knows: redis://host[:26379], or rediss://.
     *
     * @minItems 1
     */
    nodes: [string, ...string[]];
    /**
     * ACL user to log in to the Sentinels.
     */
    username?: string;
    /**
     * The password, as a reference to an environment variable: ${NAME} or ${NAME:?message}. Never the password itself.
     */
    password?: string;
    /**
     * File that holds the password of the Sentinels. Relative to the spec.
     */
    passwordFile?: string;
  };
  /**
   * ACL user to log in as, if it is not in the url.
   */
  username?: string;
  /**
   * The password, as a reference to an environment variable: ${NAME} or ${NAME:?message}. Never the password itself.
   */
  password?: string;
  /**
   * File that holds the password (a trailing line break is ignored). Relative to the spec. It is read again at every login, so a new password is picked up while a link runs.
   */
  passwordFile?: string;
  /**
   * true: a provisioned standalone and its replicas speak TLS only, with certificates that the program openssl makes for the run. Settings: how an existing endpoint is reached.
   */
  tls?:
    | boolean
    | {
        /**
         * PEM file with the certificate authority to trust instead of the system's.
         */
        ca?: string;
        /**
         * PEM file with the client certificate.
         */
        cert?: string;
        /**
         * PEM file with the key of the client certificate.
         */
        key?: string;
        /**
         * Name that the server certificate must be for, if it is not the host of the url.
         */
        serverName?: string;
        /**
         * Lowest TLS version to accept.
         */
        minVersion?: 'TLSv1.2' | 'TLSv1.3';
        /**
         * Highest TLS version to accept.
         */
        maxVersion?: 'TLSv1.2' | 'TLSv1.3';
        /**
         * Accept any certificate. Only for throw-away servers.
         */
        insecure?: boolean;
      };
  /**
   * Only with a url, urls or sentinel: data, workload and faults may write to this endpoint. Without it a rehearsal refuses to touch it.
   */
  disposable?: boolean;
  /**
   * Declared facts of a cloud product, e.g. { tde: false, edition: enterprise }. Rules may use them; they are never reported as measured.
   */
  capabilities?: {
    [k: string]: string | number | boolean;
  };
}
/**
 * One directed replication.
 */
export interface Link {
  /**
   * Name of the link. Default: source-to-target.
   */
  id?: string;
  /**
   * Instance that is read.
   */
  source: string;
  /**
   * Instance that is written.
   */
  target: string;
  /**
   * The reverse of another link, whose target has the data already: only what is written from now on is applied.
   */
  incrementalOnly?: boolean;
  /**
   * Link that must be in sync before this one starts. Default: none; of a reverse, the link it is the reverse of.
   */
  startsAfter?: string;
  /**
   * Patterns (as of KEYS: user:*) of the keys that the source owns.
   *
   * @minItems 1
   *
   * Items: A pattern, as of KEYS.
   */
  owns?: [string, ...string[]];
  /**
   * Ranges of Codis slots: 0-511, or 512.
   *
   * @minItems 1
   */
  codisSlots?: [string | number, ...(string | number)[]];
  /**
   * Whether the check that the target is empty leaves out what other links have brought there; literal does not.
   */
  emptyCheck?: 'group-aware' | 'literal';
}
/**
 * Keys that are there before the first link starts.
 */
export interface Dataset {
  /**
   * Instance or instances to fill. Several share the keys: each key is in one of them, of Codis groups in the one that has its slot. Default: every provisioned source.
   *
   * @minItems 1
   */
  into?: string | [string, ...string[]];
  /**
   * Database number.
   */
  database?: number;
  /**
   * How many keys.
   */
  keys?: number;
  /**
   * Relative weights of the types; they need not sum up to 100.
   */
  types?: {
    /**
     * Weight of string keys.
     */
    string?: number;
    /**
     * Weight of hash keys.
     */
    hash?: number;
    /**
     * Weight of list keys.
     */
    list?: number;
    /**
     * Weight of set keys.
     */
    set?: number;
    /**
     * Weight of zset keys.
     */
    zset?: number;
    /**
     * Weight of stream keys.
     */
    stream?: number;
    /**
     * Weight of hyperloglog keys.
     */
    hyperloglog?: number;
    /**
     * Weight of bitmap keys.
     */
    bitmap?: number;
    /**
     * Weight of geo keys.
     */
    geo?: number;
  };
  /**
   * Every key begins with it. Default: data-1:, data-2: and so on, by position.
   */
  prefix?: string;
  /**
   * Keys that expire.
   */
  ttl?: {
    /**
     * Share of the keys that get a time to live.
     */
    share?: string;
    /**
     * Shortest and longest time to live, e.g. [10m, 2h].
     *
     * @minItems 2
     * @maxItems 2
     *
     * Items: A time to live.
     */
    between?: [string, string];
  };
  /**
   * Size of a string value or of an element.
   */
  values?: {
    /**
     * Half of them are smaller than this.
     */
    median?: string | number;
    /**
     * 99 of 100 are smaller than this; at least the median.
     */
    p99?: string | number;
  };
  /**
   * Number of elements of a collection.
   */
  elements?: {
    /**
     * Half of them are smaller than this.
     */
    median?: number;
    /**
     * 99 of 100 are smaller than this; at least the median.
     */
    p99?: number;
  };
  /**
   * Add the fixed set of awkward keys and values: binary, empty, CRLF, inf, -0, 17 digits, every encoding.
   */
  corners?: boolean;
}
/**
 * Open-loop client traffic: the rate is kept even when the server is slow.
 */
export interface Workload {
  /**
   * Name of this workload in reports.
   */
  name?: string;
  /**
   * Instance or instances to write to. Several share the clients, and no two clients write the same key. Default: every provisioned source.
   *
   * @minItems 1
   */
  into?: string | [string, ...string[]];
  /**
   * Database numbers to write to. Default: those that data fills.
   *
   * @minItems 1
   */
  databases?: [number, ...number[]];
  /**
   * Commands per second over all clients, e.g. 2000/s.
   */
  rate?: string;
  /**
   * Connections that share the rate.
   */
  clients?: number;
  /**
   * When it starts: with the full sync, or when the links are in sync. Default: full-sync; incremental when it writes to an instance that gets its data from another one.
   */
  start?: 'full-sync' | 'incremental';
  /**
   * Relative weights of command families (string, bit, hash, list, sets, zset, stream, hll, geo, key, multi, script, function, pubsub, expiry) or single commands in lower case. Default: some of everything.
   */
  mix?: {
    [k: string]: number;
  };
  /**
   * Distinct keys per command family.
   */
  keyspace?: number;
  /**
   * Every key begins with it. Default: the name of the workload and a colon.
   */
  prefix?: string;
  /**
   * direct = a client of the servers themselves; codis-proxy = only what a Codis proxy lets through, split by key where it would split.
   */
  client?: 'direct' | 'codis-proxy';
}
/**
 * Who replicates, and limits and policies of redis-sync's own engine.
 */
export interface Engine {
  /**
   * Who replicates: redis-sync; replica = Redis's own replication; command = a program started per link; external = a service that runs already.
   */
  driver?: 'redis-sync' | 'replica' | 'command' | 'external';
  /**
   * The program of driver: command. Placeholders: {source.host}, .port, .url, .username, .password, .ca (file of the authority to trust by TLS), the same of target, {link}, {folder}, {config}.
   */
  command?: {
    /**
     * For sh -c; placeholders are quoted for the shell.
     */
    run: string;
    /**
     * A file, relative to the spec: it is written to the run folder with its placeholders filled in, and {config} is its path.
     */
    template?: string;
    /**
     * Regular expression on its output: the copy is complete. Without it that is seen in the data.
     */
    synchronized?: string;
    /**
     * Regular expression on its output, once the writers have stopped: everything is applied. Without it that is seen in the data.
     */
    caughtUp?: string;
  };
  /**
   * When a driver that tells nothing about itself is taken to have caught up.
   */
  watch?: {
    /**
     * The target has as many keys as the source and neither has changed for so long.
     */
    quiet?: string;
    /**
     * Waiting ends after this: then the verdict is not better than unknown.
     */
    limit?: string;
  };
  /**
   * Replication log kept in memory before it spills to disk.
   */
  memory?: string | number;
  /**
   * Replication log on disk before the link gives up.
   */
  disk?: string | number;
  /**
   * Largest transaction in which commands are applied. A transaction of the source is never cut.
   */
  envelope?: {
    /**
     * Most commands in one.
     */
    commands?: number;
    /**
     * Most bytes in one.
     */
    bytes?: string | number;
  };
  /**
   * A key written to the source to measure how far behind a link is; off = measure bytes only.
   */
  heartbeat?:
    | 'off'
    | {
        /**
         * Time between two heartbeats.
         */
        interval?: string;
        /**
         * The heartbeat key begins with it.
         */
        prefix?: string;
      };
  /**
   * What to do when the source is flushed (FLUSHALL, FLUSHDB): fail = stop the link; propagate = flush the target too, if all data on it is the link’s; ignore = leave it out: the target keeps its keys.
   */
  flush?: 'fail' | 'propagate' | 'ignore';
  /**
   * What to do when the source swaps two databases (SWAPDB): propagate = swap them on the target too, if all data on it is the link’s; fail = stop the link.
   */
  swapdb?: 'propagate' | 'fail';
  /**
   * What to do with messages (PUBLISH, SPUBLISH); those of Sentinel are always dropped: drop = leave them out; forward = publish them on the target too.
   */
  publish?: 'drop' | 'forward';
  /**
   * What to do with scripts that an old source sends as text (EVAL, EVALSHA) instead of their effects: apply = run them on the target, and name them and their keys; fail = stop the link.
   */
  scripts?: 'apply' | 'fail';
  /**
   * What to do with a command that has no form the target takes: fail = stop the link before it; skip = leave it out and go on.
   */
  unsupported?: 'fail' | 'skip';
  /**
   * What to do when the target is out of memory: wait = try the same again in order until it has memory or the retry time is over; fail = stop the link at once; it can be resumed.
   */
  oom?: 'wait' | 'fail';
  /**
   * What to do when the target evicts keys to stay below its maxmemory: report = go on; fail = stop the link.
   */
  eviction?: 'report' | 'fail';
  /**
   * What to do about writes of others to the target, seen in its own replication stream, or in that of each shard of a cluster: auto = report on targets that are provisioned or disposable, ignore on others; report = go on; fail = stop the link; ignore = do not look.
   */
  foreignWrites?: 'auto' | 'report' | 'fail' | 'ignore';
  /**
   * When the source is told that a write is on the target: none = when the target has it, or when replicas of the target have it.
   */
  durability?:
    | 'none'
    | {
        /**
         * How many replicas.
         */
        replicas: number;
        /**
         * A wait for them that takes longer is reported, and tried again.
         */
        timeout?: string;
      };
  /**
   * What to do with data that is on the target when a link begins: fail = touch nothing and stop; overwrite = make the target what the source is: what the source does not have is deleted; merge = overwrite keys of the same name, leave the others.
   */
  existing?: 'fail' | 'overwrite' | 'merge';
  /**
   * What to do when several members of a two-way pair or a ring write the same key at once (with a cluster among them only `overwrite`: no process sees all its shards): overwrite = apply all as they come: each keeps what reached it last, and they may differ; last-write-wins = the newest write wins everywhere, by the clock of redis-sync and the way of its heartbeats; source-priority = the write of the pair’s source wins; in a ring that of the member that is named first.
   */
  conflict?: 'overwrite' | 'last-write-wins' | 'source-priority';
  /**
   * What to do when the source makes a link copy everything again: reconcile = copy it, then delete what the source does not have; in a pair or a ring with a conflict rule: stop, for a snapshot does not tell which of its values win; to a cluster in a pair or a ring, whatever the policy: stop, for its readers could not tell the snapshot from fresh writes; reload = copy it and delete nothing; fail = stop before the target is touched.
   */
  fullResync?: 'reconcile' | 'reload' | 'fail';
  /**
   * What to do with a command whose keys are in several slots of a cluster target: fail = stop the link before it; split = apply DEL, UNLINK, MSET and their like slot by slot, stop before others; refetch = as split, and read the keys that others write from the source again.
   */
  crossSlot?: 'fail' | 'split' | 'refetch';
  /**
   * What to do when slots move between the shards of a source cluster: follow = go on with their new owner; a target that is no cluster cannot, and in a pair or a ring the link then stops before anything of them is applied; fail = stop the link.
   */
  topologyChange?: 'follow' | 'fail';
  /**
   * What to do with a source that comes back empty or without writes that the target has: fail = stop the link before anything is applied; follow = make the target the same.
   */
  emptySource?: 'fail' | 'follow';
  /**
   * How keys with an expiry are kept while the target is behind its source. The source alone decides when they end: deadlines that are near are written later until it has had its last word.
   */
  expiry?: {
    /**
     * How much later a near deadline is written.
     */
    grace?: string;
    /**
     * Deadlines closer than this are near while the link keeps up: how long it may stand still before the target can expire a key too early.
     */
    guard?: string;
    /**
     * Import mode of a Valkey target (8.1), in which it expires nothing by itself: use = where it is switched on; set = switch it on until the cutover.
     */
    importMode?: 'use' | 'set';
  };
  /**
   * How long to keep trying after a lost connection.
   */
  retry?: string;
  /**
   * Give up on a silent peer after this long.
   */
  idleTimeout?: string;
}
export interface CommandsToAnInstance {
  /**
   * Selected before the commands are sent.
   */
  database?: number;
  /**
   * Each a line in redis-cli’s quoting ("\xHH" included) or an array of arguments.
   *
   * @minItems 1
   */
  commands: [string | [string, ...string[]], ...(string | [string, ...string[]])[]];
}
export interface AShellCommand {
  /**
   * For sh -c. REDIS_SYNC_<INSTANCE>_HOST, _PORT, _URL and, by TLS, _CA are set; exit code 0 means it took effect.
   */
  run: string;
  /**
   * More environment variables.
   */
  env?: {
    [k: string]: string;
  };
  /**
   * The command and everything it started is ended after this time; the step has failed then.
   */
  timeout?: string;
}
/**
 * How source and target are compared after the links have drained.
 */
export interface Compare {
  /**
   * auto = choose; snapshot = receive both snapshots and join them; commands = read both sides with commands.
   */
  method?: 'auto' | 'snapshot' | 'commands';
  /**
   * Times to live that differ by no more than this are equal.
   */
  ttlTolerance?: string;
  /**
   * How often differing keys are looked at again before the difference counts.
   */
  rounds?: number;
}
/**
 * What is written into the run folder, besides the summary on the terminal.
 */
export interface Report {
  /**
   * Files to write.
   */
  formats?: ('terminal' | 'json' | 'html' | 'markdown' | 'junit')[];
}
