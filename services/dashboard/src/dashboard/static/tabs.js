// One language at a time, by the tabs pattern of the ARIA guide. Without scripts all panels are there, one below the other.
export function arrangeTabs(root) {
  for (const box of root.querySelectorAll('[data-tabs]')) {
    const tabs = [...box.querySelectorAll('[role=tab]')];
    const select = (chosen, focus) => {
      for (const tab of tabs) {
        const isChosen = tab === chosen;
        tab.setAttribute('aria-selected', String(isChosen));
        tab.tabIndex = isChosen ? 0 : -1;
        document.getElementById(tab.getAttribute('aria-controls')).hidden = !isChosen;
      }
      if (focus) chosen.focus();
    };
    for (const [index, tab] of tabs.entries()) {
      tab.addEventListener('click', () => select(tab, false));
      tab.addEventListener('keydown', (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (step) select(tabs[(index + step + tabs.length) % tabs.length], true);
        else if (event.key === 'Home') select(tabs[0], true);
        else if (event.key === 'End') select(tabs.at(-1), true);
        else return;
        event.preventDefault();
      });
    }
    box.querySelector('[role=tablist]').hidden = false;
    select(tabs[0], false);
  }
}
