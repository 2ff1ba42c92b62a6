#include "services/screening/screening.h"

int main(int argc, char **argv)
{
	return service_main(&screening_service, argc, argv);
}
