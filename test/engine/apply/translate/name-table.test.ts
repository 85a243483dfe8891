import { describe, expect, it } from 'vitest';
import { NameTable } from '../../../../engine/apply/translate/name-table.ts';

describe('NameTable', () => {
  const table = new NameTable<number>();
  const names = Array.from({ length: 5000 }, (_, index) => `NAME-${index.toString(36).toUpperCase()}`);
  for (const [index, name] of names.entries()) table.set(name, index);

  function get(text: string): number | undefined {
    const bytes = Buffer.from(`>>${text}<<`, 'latin1');
    return table.get(bytes, 2, bytes.length - 2);
  }

  it('finds every name in any case', () => {
    expect(names.map(get)).toEqual(names.map((_, index) => index));
    expect(names.map((name) => get(name.toLowerCase()))).toEqual(names.map((_, index) => index));
  });

  it('does not take another byte for a letter, a beginning for the whole, or a hyphen for a control character', () => {
    expect(['NAME-', 'NAME-00', 'NAME\r1', 'NAME', '', 'XNAME-1', 'NAME-1 '].map(get)).toEqual(
      Array.from({ length: 7 }, () => undefined),
    );
  });

  it('takes a new value for a name that is there', () => {
    table.set('NAME-1', -1);
    expect(get('name-1')).toBe(-1);
  });
});
