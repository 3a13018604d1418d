/** Department, team, office, legal entity or cost centre of the demo company. */
export interface Unit {
  readonly id: number;
  readonly name: string;
}

export const FIRST_NAMES = [
  'Ada',
  'Björn',
  'Chloé',
  'Dmitri',
  'Elif',
  'Femi',
  'Grete',
  'Hana',
  'Ivo',
  'Jürgen',
  'Kai',
  'Lena',
  'Mei',
  'Nuno',
  'Oona',
  'Pál',
  'Quinn',
  'Rosa',
  'Søren',
  'Tove',
  'Uma',
  'Vito',
  'Wanda',
  'Xaver',
  'Yara',
  'Zoë',
] as const;
export const LAST_NAMES = [
  'Abel',
  'Brandt',
  'Çelik',
  'Dubois',
  'Ekström',
  'Fischer',
  'García',
  'Huber',
  'Ito',
  'Jansen',
  'Kowalski',
  'Løvstad',
  'Müller',
  'Nowak',
  'O’Neill',
  'Petrov',
  'Quispe',
  'Richter',
  'Schäfer',
  'Tanaka',
  'Ueda',
  'Vogel',
  'Weiß',
  'Xu',
  'Yilmaz',
  'Zimmermann',
] as const;
export const DEPARTMENTS: readonly [Unit, ...Unit[]] = [
  { id: 401, name: 'Engineering' },
  { id: 402, name: 'Sales' },
  { id: 403, name: 'Marketing' },
  { id: 404, name: 'Finance' },
  { id: 405, name: 'People' },
  { id: 406, name: 'IT' },
  { id: 407, name: 'Customer Success' },
  { id: 408, name: 'Legal' },
];
export const TEAMS: readonly [Unit, ...Unit[]] = [
  { id: 501, name: 'Platform' },
  { id: 502, name: 'Growth' },
  { id: 503, name: 'Field' },
  { id: 504, name: 'Operations' },
];
/** Offices in several zones, so that working days end at different moments. */
export const OFFICES: readonly [Unit, ...Unit[]] = [
  { id: 601, name: 'Berlin' },
  { id: 602, name: 'Munich' },
  { id: 603, name: 'Madrid' },
  { id: 604, name: 'New York' },
  { id: 605, name: 'Singapore' },
];
export const SUBCOMPANIES: readonly [Unit, ...Unit[]] = [
  { id: 701, name: 'Example GmbH' },
  { id: 702, name: 'Example Inc.' },
];
export const POSITIONS = [
  'Engineer',
  'Account Executive',
  'Analyst',
  'Designer',
  'Team Lead',
  'Specialist',
  'Manager',
] as const;
export const COST_CENTERS: readonly [Unit, ...Unit[]] = [
  { id: 801, name: 'Product' },
  { id: 802, name: 'Go-to-market' },
  { id: 803, name: 'Overhead' },
];
export const SKILLS = ['sql', 'typescript', 'negotiation', 'first aid', 'spanish'] as const;
