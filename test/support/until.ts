/** Waits for a state of real servers that comes by itself: asked again until it is there. The test's own limit ends it. */
type Answer<T> = T | undefined | false;

export async function until<T>(ask: () => Answer<T> | Promise<Answer<T>>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
