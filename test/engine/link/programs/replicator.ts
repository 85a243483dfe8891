/** The replicator process as the runner starts it, without a build. Ends by itself when its parent is gone. */
import { runReplicatorProcess } from '../../../../engine/link/replicator-process.ts';

await runReplicatorProcess();
