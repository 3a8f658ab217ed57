// Bodies are stored and signed as one line; people read them indented.
export function prettyPrint(root) {
  for (const block of root.querySelectorAll('[data-json] code')) {
    try {
      block.textContent = JSON.stringify(JSON.parse(block.textContent), null, 2);
    } catch {
      // Not JSON: shown as it came.
    }
  }
}
