import { afterEach, describe, expect, it, vi } from 'vitest';
import { countReadGarbage } from '../../../engine/psync/read-garbage.ts';

const MIB = 1024 * 1024;

afterEach(() => vi.unstubAllGlobals());

describe('countReadGarbage', () => {
  it('collects when buffers have piled up while bytes were read, and not again before more have', () => {
    const collect = vi.fn<() => void>();
    vi.stubGlobal('gc', collect);
    const piled = [Buffer.alloc(64 * MIB)];
    countReadGarbage(MIB);
    expect(collect).not.toHaveBeenCalled();
    countReadGarbage(8 * MIB);
    expect(collect).toHaveBeenCalledTimes(1);
    countReadGarbage(8 * MIB);
    expect(collect).toHaveBeenCalledTimes(1);
    piled.push(Buffer.alloc(64 * MIB));
    countReadGarbage(8 * MIB);
    expect(collect).toHaveBeenCalledTimes(2);
    expect(piled).toHaveLength(2);
  });
});
